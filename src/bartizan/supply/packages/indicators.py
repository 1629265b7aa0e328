"""Words of published attacks that mean the same in every language: where loot is dropped, where secrets lie, and
commands that fetch a program and run it.
"""

import re

import re2

DROP_HOST = re2.compile(
    r"(?i)(?:discord(?:app)?\.com/api/webhooks|api\.telegram\.org/bot|hooks\.slack\.com/services/T|webhook\.site|"
    r"requestbin\.(?:com|net)|pipedream\.net|burpcollaborator\.net|oastify\.com|interact\.sh|oast\.(?:fun|me|pro|live|site|"
    r"online)|dnslog\.cn|ngrok(?:-free)?\.(?:io|app|dev)|trycloudflare\.com|transfer\.sh|anonfiles\.com|gofile\.io/upload|"
    r"file\.io/|pastebin\.com/(?:raw|api)|rentry\.co/[\w-]+/raw|requestcatcher\.com|beeceptor\.com|canarytokens\.com)"
)
SECRET_PLACE = re2.compile(
    r"(?:\.ssh/(?:id_(?:rsa|dsa|ecdsa|ed25519)|authorized_keys)|\.aws/(?:credentials|config)|\.config/gcloud|"
    r"\.kube/config|\.docker/config\.json|\.npmrc|\.pypirc|\.netrc|\.git-credentials|\.gnupg/|/etc/shadow|"
    r"\.azure/(?:accessTokens|msal)|Login Data|Local State|leveldb|wallet\.dat|\.electrum|Exodus|"
    r"169\.254\.169\.254|metadata\.google\.internal|\.bash_history|\.zsh_history|key4\.db|logins\.json)"
)
_FETCH_AND_RUN = (
    re.compile(
        r"\b(?:curl|wget|iwr|fetch)\b[^\n|;&]{0,400}\|\s*(?:sudo\s+(?:-\w+\s+)*)?(?:/(?:usr/)?bin/)?(?:env\s+)?"
        r"(?:ba|z|da|k|fi)?sh\b|\b(?:curl|wget)\b[^\n|;&]{0,400}\|\s*(?:sudo\s+)?(?:python|node|perl|ruby|php)\d*(?:\.\d+)?\b",
        re.IGNORECASE,
    ),
    re.compile(r"\b(?:ba|z|da)?sh\b\s+(?:-c\s+)?[\"']?(?:<\(|\$\(|`)\s*(?:curl|wget)\b", re.IGNORECASE),
    re.compile(r"(?:\b(?:eval|source)|(?:^|[;&|]\s{0,9})\.)\s+[\"']?(?:\$\(|`|<\()\s*(?:curl|wget)\b", re.IGNORECASE),
    re.compile(
        r"\b(?:iex|invoke-expression)\b[^\n]{0,200}(?:downloadstring|invoke-webrequest|iwr|irm|invoke-restmethod)"
        r"|(?:downloadstring|invoke-webrequest|iwr|irm|invoke-restmethod)\b[^\n]{0,200}\|\s*(?:iex|invoke-expression)\b",
        re.IGNORECASE,
    ),
    re.compile(
        r"\bpowershell(?:\.exe)?\b[^\n]{0,120}\s-(?:e|ec|enc|encodedcommand)\s+[A-Za-z0-9+/=]{20,}", re.IGNORECASE
    ),
    re.compile(r"\bmshta(?:\.exe)?\s+(?:https?:|vbscript:|javascript:)", re.IGNORECASE),
    re.compile(r"\b(?:certutil|bitsadmin)\b[^\n]{0,80}(?:-urlcache|/transfer)\b[^\n]{0,200}https?://", re.IGNORECASE),
    re.compile(
        r"\b(?:curl|wget)\b[^\n]{0,300}\s(?:-o|-O|--output|>)\s*[\"']?([\w./~$-]{1,120})[^\n;&]{0,300}(?:&&|;|\n)[^\n]{0,80}?"
        r"(?:chmod\s+(?:\+x|[0-7]*[1357][0-7]*)\b|\b(?:ba|z)?sh\s+\S*\1|\bpython3?\s+\S*\1)",
        re.IGNORECASE,
    ),
    re.compile(
        r"\bbase64\s+(?:-d|-D|--decode)\b[^\n]{0,80}\|\s*(?:sudo\s+)?(?:(?:ba|z|da)?sh|python3?|node|perl)\b",
        re.IGNORECASE,
    ),
    re.compile(r"/dev/tcp/[\w.$\{\}-]+/\d+|\bnc(?:at)?\b[^\n]{0,60}\s-e\s+/bin/|\bmkfifo\b[^\n]{0,200}\bnc\b"),
)


_ANY_OF_THESE = re2.compile(
    r"(?i)curl|wget|iwr|irm|fetch|iex|invoke-|downloadstring|powershell|mshta|certutil|bitsadmin|base64|/dev/tcp|nc|mkfifo"
)
"""Most texts hold none of these words, and need no closer look."""


def remote_command(text: str) -> bool:
    """Return whether a shell command fetches a program and runs it, or opens a shell to somebody else."""
    return bool(_ANY_OF_THESE.search(text)) and any(pattern.search(text) for pattern in _FETCH_AND_RUN)
