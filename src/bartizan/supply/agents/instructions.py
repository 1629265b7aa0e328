"""What a text for an agent tells it to do, judged by structure: commands, secrets, concealment, hidden places.

One suspicious thing alone goes to a person: a text about security names secrets, a guide names an installer. Two that
make an attack (a secret and a place to send it to, a command and the wish that nobody is told) are blocked. An
instruction that is hostile only by its intent, in plain words, is not found here.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

import re2

from bartizan.core.display import visible
from bartizan.core.findings import Finding, Severity
from bartizan.supply.agents.hidden_text import hidden_characters, plain
from bartizan.supply.packages.indicators import DROP_HOST, SECRET_PLACE, remote_command

_WINDOW = 6
"""Lines that are read together: a secret in one and its address in the next belong to each other."""
KNOWN_INSTALLERS = re.compile(
    r"https?://(?:astral\.sh|sh\.rustup\.rs|get\.docker\.com|bun\.(?:sh|com)|deno\.(?:land|com)|get\.pnpm\.io|"
    r"install\.python-poetry\.org|raw\.githubusercontent\.com/(?:nvm-sh|Homebrew|helm|k3d-io|"
    r"pyenv)/|foundry\.paradigm\.xyz|"
    r"get\.helm\.sh|cli\.github\.com|ollama\.(?:com|ai)|claude\.ai/install|fly\.io/install|"
    r"get\.volta\.sh|starship\.rs|"
    r"get\.k3s\.io|supabase\.com|opencode\.ai/install|install\.determinate\.systems|nixos\.org/nix)"
)
_PLACE = re2.compile(r"https?://|\$\w|/dev/tcp|[A-Za-z0-9+/=]{20,}|\b\w+\.\w{2,}/")
_SENDS = re2.compile(
    r"(?i)\bcurl\b[^\n]*(?:\s-d\b|--data|\s-F\b|--form|\s-T\b|--upload-file|-X\s*(?:POST|"
    r"PUT)|\$\()|\bwget\b[^\n]*--post|"
    r"\bscp\s|\brsync\b[^\n]*:|\bnc\s+\S+\s+\d+|\bnslookup\b|requests\.(?:post|put)|fetch\(|urlopen\(|httpx\.post|"
    r"\b(?:send|upload|post|transmit|forward|exfiltrate|submit|email|deliver|attach|report|sync|copy|pass)\b[^.\n]*\b"
    r"(?:to|via|as|in)\b[^.\n]*(?:https?://|[\w.-]+\.(?:com|net|io|dev|invalid|org|sh)\b|@|"
    r"parameter|argument|field|webhook|"
    r"server|endpoint|address)"
)
_SECRET_WORDS = re2.compile(
    r"(?i)\.env\b|~?/\.ssh|\bid_rsa\b|\bprivate keys?\b|\bapi[ "
    r"_-]?keys?\b|\bcredentials?\b|\bpasswords?\b|\b(?:session|access|auth|"
    r"bearer|refresh) tokens?\b|\bseed phrase|\bkeychain\b|\bcookies?\b|\benvironment "
    r"variables?\b|printenv|\benv\b\s*\||"
    r"process\.env|os\.environ|\bwallets?\b|mcp\.json|\bconversation (?:history|so far)|\bchat "
    r"history\b|\bsystem prompt\b"
)
_CONCEAL = re2.compile(
    r"(?i)\b(?:do\s?n[o']t|don.t|never|without|must not|avoid)\b[^.\n]{0,40}\b(?:tell|telling|"
    r"mention|mentioning|inform|informing|"
    r"reveal|revealing|notify|notifying|show|showing|alert|alerting|disclose|let|ask|asking)\b[^.\n]{0,40}\b(?:the )?"
    r"(?:user|human|operator|anyone|owner|developer|customer|person)\b|\bwithout (?:the "
    r")?user.?s? (?:knowledge|knowing|consent|"
    r"approval|noticing)|\b(?:user|human) (?:must|should|does|need) ?n[o']t (?:know|see|notice|"
    r"be told|be aware)|\bkeep (?:this|it) "
    r"(?:secret|hidden|quiet)\b[^.\n]{0,30}|\bhide (?:this|it|that)\b[^.\n]{0,"
    r"40}\bfrom\b|\bsilently (?:send|run|execute|read|upload|"
    r"copy|call|add|append|include|forward|install|download|post|collect)"
)
_OVERRIDE = re2.compile(
    r"(?i)\b(?:ignore|disregard|forget|override|bypass)\b[^.\n]{0,30}\b(?:all |any |the |your |"
    r"every )*(?:previous|prior|earlier|above|"
    r"preceding|existing|original|system|safety|other)\b[^.\n]{0,20}\b(?:instruction|prompt|"
    r"rule|guideline|direction|polic|"
    r"restriction|message)|\byou are now (?:in )?(?:developer|dan|admin|root|unrestricted|"
    r"jailbr)|\bnew system prompt\b|"
    r"\b(?:supersede|take precedence over|takes? priority over)s?\b[^.\n]{0,40}\b(?:user|system|"
    r"safety|other) (?:instruction|prompt|"
    r"request|rule|polic)"
)
_TAGGED = re2.compile(
    r"(?i)<\s*(?:important|system|secret|instructions?|admin|hidden|critical|" r"assistant)\s*>|\[(?:system|inst)\]"
)
_WEAKENS = re2.compile(
    r"(?i)--dangerously-skip-permissions|--yolo\b|--no-sandbox|disable[sd]? (?:the )?(?:sandbox|"
    r"antivirus|firewall|gatekeeper|defender|"
    r"safety checks?)|xattr -[a-z]*d[a-z]* com\.apple\.quarantine|xattr -c[r]? |spctl "
    r"--master-disable|set-executionpolicy "
    r"(?:bypass|unrestricted)|add-mppreference|setenforce 0"
)
_ARCHIVE = re2.compile(r"(?i)\.(?:zip|rar|7z)\b|\barchive\b|\bextract\b|\bunzip\b")
_PASSWORD = re2.compile(r"(?i)\b(?:password|passcode)\b\s*(?:is\b|:|`|for\b)")
_PROGRAM = re2.compile(
    r"(?i)https?://[^\s)\"'`]+\.(?:exe|dmg|msi|pkg|scr|bat|ps1|appimage)\b|\b(?:run|launch|execute)\s+\S+\.(?:exe|scr|bat)\b|"
    r"https?://(?:glot\.io|rentry\.co|pastebin\.com|paste\.\w+)/"
)
_PERSISTS = re2.compile(
    r"(?i)(?:>>|\btee -a\b|append[^.\n]{0,60}\bto\b|add[^.\n]{0,40}\bto\b|write[^.\n]{0,"
    r"40}\b(?:to|into)\b)[^.\n]{0,40}(?:authorized_keys|\.bashrc|"
    r"\.zshrc|\.profile|crontab|LaunchAgents|SOUL\.md|MEMORY\.md)|\bcrontab -[el]?\b[^\n]*\||"
    r"schtasks /create|launchctl load"
)
_BLOB = re.compile(r"(?<![\w/+=.-])[A-Za-z0-9+/]{60,}={0,2}(?![\w/+=])")
_COMMENT = re.compile(r"<!--(.*?)-->|\[//\]: # \((.*?)\)|\{#(.*?)#\}", re.DOTALL)
_UNSEEN_STYLE = re2.compile(
    r"(?i)style\s*=\s*[\"'][^\"']*(?:display:\s*none|font-size:\s*0|opacity:\s*0(?:[^.\d]|\.0)|"
    r"color:\s*(?:white|#fff))"
)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a stretch of text does, by the name of the thing."""

    words: frozenset[str]
    line: int
    text: str


def instruction_findings(text: str, where: str) -> list[Finding]:
    """Return what is suspicious in a text that an agent will read as instructions."""
    found = list(hidden_characters(text, where))
    readable = plain(text)
    found += _commands(readable, where)
    found += _together(readable, where)
    found += _hidden_places(readable, where)
    found += _blobs(readable, where)
    return list({(one.rule, one.severity, one.why): one for one in found}.values())


def _commands(text: str, where: str) -> Iterator[Finding]:
    if not remote_command(text):
        return
    for number, stretch in _stretches(text, 2):
        if remote_command(stretch):
            known = KNOWN_INSTALLERS.search(stretch) and not DROP_HOST.search(stretch)
            known = known or (
                "base64" not in stretch and not _PLACE.search(stretch)
            )  # `curl … | bash` as a figure of speech
            shown = visible(" ".join(stretch.split()))[:120]
            why = f"fetches a program and runs it: {shown}"
            yield Finding("remote-execution", Severity.MEDIUM if known else Severity.HIGH, why, f"{where}:{number}")
            return


def _stretches(text: str, lines: int) -> Iterator[tuple[int, str]]:
    rows = text.split("\n")
    for at in range(max(1, len(rows) - lines + 1)):
        yield at + 1, "\n".join(rows[at : at + lines])


_KINDS = (
    ("secret place", SECRET_PLACE),
    ("secret", _SECRET_WORDS),
    ("send", _SENDS),
    ("drop", DROP_HOST),
    ("conceal", _CONCEAL),
    ("override", _OVERRIDE),
    ("tag", _TAGGED),
    ("weaken", _WEAKENS),
    ("archive", _ARCHIVE),
    ("password", _PASSWORD),
    ("program", _PROGRAM),
    ("persist", _PERSISTS),
)
_ATTACKS: tuple[tuple[frozenset[str], str, Severity, str], ...] = (
    (
        frozenset({"secret place", "drop"}),
        "exfiltration",
        Severity.CRITICAL,
        "takes secrets to a place for collected data",
    ),
    (frozenset({"secret", "drop"}), "exfiltration", Severity.HIGH, "takes secrets to a place for collected data"),
    (
        frozenset({"secret place", "send", "conceal"}),
        "exfiltration",
        Severity.CRITICAL,
        "sends secrets, and nobody is to know",
    ),
    (
        frozenset({"secret place", "send"}),
        "exfiltration",
        Severity.HIGH,
        "names a file of secrets and a way to send it",
    ),
    (frozenset({"secret", "send", "conceal"}), "exfiltration", Severity.HIGH, "sends secrets, and nobody is to know"),
    (frozenset({"send", "conceal"}), "concealment", Severity.HIGH, "sends something, and nobody is to know"),
    (
        frozenset({"override", "conceal"}),
        "instruction-override",
        Severity.HIGH,
        "sets aside other instructions in secret",
    ),
    (frozenset({"override", "send"}), "instruction-override", Severity.HIGH, "sets aside other instructions and sends"),
    (frozenset({"tag", "conceal"}), "concealment", Severity.HIGH, "speaks as the system, and nobody is to know"),
    (frozenset({"tag", "secret place"}), "exfiltration", Severity.HIGH, "speaks as the system and asks for secrets"),
    (frozenset({"weaken", "program"}), "remote-execution", Severity.HIGH, "takes protections away and runs a program"),
    (
        frozenset({"archive", "password", "program"}),
        "remote-execution",
        Severity.HIGH,
        "a program in an archive that scanners cannot open",
    ),
    (frozenset({"override"}), "instruction-override", Severity.MEDIUM, "sets aside other instructions"),
    (frozenset({"conceal"}), "concealment", Severity.MEDIUM, "something is to be kept from the user"),
    (frozenset({"drop"}), "drop-host", Severity.MEDIUM, "names a place where collected data is dropped"),
    (frozenset({"weaken"}), "weakens-protection", Severity.MEDIUM, "takes protections away"),
    (
        frozenset({"archive", "password"}),
        "locked-archive",
        Severity.MEDIUM,
        "an archive with a password: scanners cannot open it",
    ),
    (
        frozenset({"program"}),
        "program-download",
        Severity.MEDIUM,
        "has a program fetched from outside of a package index",
    ),
    (frozenset({"persist"}), "persistence", Severity.MEDIUM, "writes where later sessions read"),
)


def _together(text: str, where: str) -> Iterator[Finding]:
    """Yield the worst attack of each rule that the words of one stretch make."""
    if not any(pattern.search(text) for _, pattern in _KINDS):
        return
    done: set[str] = set()
    seen = [_Seen(frozenset(_words(row)), number, row) for number, row in _stretches(text, 1)]
    for wanted, rule, severity, why in _ATTACKS:
        if rule in done:
            continue
        for at, one in enumerate(seen):
            near = seen[at : at + _WINDOW]
            words = frozenset().union(*(other.words for other in near))
            if one.words & wanted and wanted <= words:
                done.add(rule)
                shown = visible(next(other.text for other in near if other.words & wanted).strip())[:120]
                yield Finding(rule, severity, f"{why}: {shown}", f"{where}:{one.line}")
                break


def _words(row: str) -> Iterator[str]:
    for name, pattern in _KINDS:
        if pattern.search(row):
            yield name


def _hidden_places(text: str, where: str) -> Iterator[Finding]:
    """Look into comments and unseen elements, which are not shown and are read all the same."""
    for match in _COMMENT.finditer(text):
        inner = next(part for part in match.groups() if part is not None)
        line = text.count("\n", 0, match.start()) + 1
        worst = max((one.severity for one in _together(inner, where)), default=Severity.INFO)
        commanded = remote_command(inner) or SECRET_PLACE.search(inner) or worst >= Severity.MEDIUM
        if commanded:
            why = f"a comment that readers do not see gives orders: {visible(' '.join(inner.split()))[:120]}"
            yield Finding("hidden-instruction", Severity.HIGH, why, f"{where}:{line}")
    if _UNSEEN_STYLE.search(text):
        yield Finding("hidden-style", Severity.MEDIUM, "text styled so that nobody sees it", where)


def _blobs(text: str, where: str) -> Iterator[Finding]:
    """Decode base64 once; what it says is judged like the rest."""
    for match in list(_BLOB.finditer(text))[:50]:
        if (
            text[max(0, match.start() - 30) : match.start()]
            .rstrip()
            .endswith(("base64,", "sha512-", "sha256-", "sha384-"))
        ):
            continue
        try:
            inner = base64.b64decode(match[0] + "=" * (-len(match[0]) % 4)).decode("utf-8")
        except (binascii.Error, ValueError):
            continue
        hostile = remote_command(inner) or any(one.severity >= Severity.MEDIUM for one in _together(inner, where))
        line = text.count("\n", 0, match.start()) + 1
        if hostile:
            why = f"base64 that says {visible(' '.join(inner.split()))[:120]!r}"
            yield Finding("hidden-instruction", Severity.HIGH, why, f"{where}:{line}")
