"""Reads Python source by its syntax tree for what published hostile packages do. Nothing is imported or run.

Looked for: a payload that is decoded and run, one that is downloaded and run, secrets collected and sent, reverse
shells, code hidden from the reader. Where code runs without being asked for (setup.py, .pth, the top of a module) less
is needed for a finding. Code that avoids these patterns is not found: a clean result says that none of them is there.
"""

import ast
import re
import unicodedata
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field

import re2

from bartizan.core.display import visible
from bartizan.core.findings import Finding, Severity
from bartizan.supply.base import unreadable
from bartizan.supply.packages.indicators import DROP_HOST, SECRET_PLACE, remote_command

_LARGEST = 8 << 20
RUNS = frozenset({"exec", "eval", "builtins.exec", "builtins.eval", "runpy.run_path", "types.FunctionType"})
SHELLS = frozenset(
    name
    for line in (
        "os.system os.popen os.execv os.execve os.execvp os.spawnl os.spawnv os.startfile subprocess.Popen",
        "subprocess.run subprocess.call subprocess.check_call subprocess.check_output subprocess.getoutput",
        "subprocess.getstatusoutput asyncio.create_subprocess_shell asyncio.create_subprocess_exec pty.spawn",
    )
    for name in line.split()
)
DECODES = frozenset(
    name
    for line in (
        "base64.b64decode base64.b32decode base64.b16decode base64.b85decode base64.a85decode",
        "base64.urlsafe_b64decode base64.standard_b64decode base64.decodebytes zlib.decompress",
        "lzma.decompress bz2.decompress gzip.decompress marshal.loads pickle.loads codecs.decode",
        "binascii.unhexlify binascii.a2b_base64 bytes.fromhex bytearray.fromhex cryptography.fernet.Fernet",
    )
    for name in line.split()
)
FETCHES = frozenset(
    name
    for line in (
        "urllib.request.urlopen urllib.request.urlretrieve urllib.request.Request urllib.urlopen",
        "urllib2.urlopen requests.get requests.post requests.put requests.request requests.Session httpx.get",
        "httpx.post httpx.Client http.client.HTTPSConnection http.client.HTTPConnection",
        "socket.create_connection socket.socket aiohttp.ClientSession urllib3.PoolManager smtplib.SMTP",
        "ftplib.FTP socket.gethostbyname socket.getaddrinfo",
    )
    for name in line.split()
)
_SENDS = FETCHES - {"socket.getaddrinfo", "socket.socket"}
_SPEAKS = frozenset({"connect", "connect_ex", "send", "sendall", "sendto"})
_ENVIRONMENT = frozenset({"os.environ", "os.environb"})


@dataclass
class _Scope:
    """What one function, or the top of the module, does."""

    calls: set[str] = field(default_factory=set)
    texts: list[str] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)
    line: int = 0


def python_findings(source: bytes, path: str, *, eager: bool = False) -> list[Finding]:
    """Return what a Python file does that hostile packages do. `eager` says that it runs without being asked for."""
    if len(source) > _LARGEST:
        return [Finding("code-too-large", Severity.MEDIUM, f"{len(source)} bytes of Python in one file", path)]
    if not eager and not _may_act(source):
        return list(_hidden(source, path))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return [] if not eager else [Finding("code-unreadable", Severity.MEDIUM, "no Python of this version", path)]
    except (RecursionError, MemoryError):
        return [unreadable("source that is nested too deep", path)]
    try:
        reader = _Reader(path, eager)
        reader.read(tree)
    except RecursionError:
        return [unreadable("source that is nested too deep", path)]
    return list(dict.fromkeys([*reader.found, *_hidden(source, path)]))


_ACTS = re2.compile(
    r"__import__|import_module|\bexec\b|\beval\b|FunctionType|run_path|\bsystem\b|popen|Popen|\bspawn|\bexecv|startfile|subprocess|dup2|environb?\b"
)


def _may_act(source: bytes) -> bool:
    """Return whether the text holds a word that any rule here needs; most files do not, and need no syntax tree."""
    text = source.decode("utf-8", "replace")
    text = text if text.isascii() else unicodedata.normalize("NFKC", text)  # as Python itself reads names
    return bool(_ACTS.search(text) or SECRET_PLACE.search(text) or DROP_HOST.search(text))


def pth_findings(text: str, path: str) -> list[Finding]:
    """Return what a .pth file runs at every start of the interpreter (site.py runs lines that begin with `import`)."""
    found: list[Finding] = []
    for line in text.splitlines():
        if line.startswith(("import ", "import\t")):
            inner = python_findings(line.encode("utf-8", "replace"), path, eager=True)
            found += inner
            if not inner and line.strip() not in _KNOWN_PTH:
                why = f"runs at every start of Python: {visible(line.strip())[:120]}"
                found.append(Finding("pth-code", Severity.MEDIUM, why, path))
    return list(dict.fromkeys(found))


_KNOWN_PTH = frozenset(
    {
        "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; "
        "enabled and __import__('_distutils_hack').add_shim();",
        "import _virtualenv",
    }
)


class _Reader(ast.NodeVisitor):
    """Walks a module with its imports resolved; every function is a scope, so are the classes' bodies together."""

    def __init__(self, path: str, eager: bool) -> None:
        self.path, self.eager = path, eager
        self.found: list[Finding] = []
        self._names: dict[str, str] = {}
        self._tainted: dict[str, str] = {}
        """Names that hold decoded or downloaded content."""
        self._scopes = [_Scope()]

    def read(self, tree: ast.Module) -> None:
        """Read the whole module."""
        for node in ast.walk(tree):
            self._import(node)
        self.visit(tree)
        self._judge(self._scopes[0], top=True)

    def _import(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for one in node.names:
                self._names[one.asname or one.name.split(".")[0]] = one.name if one.asname else one.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module:
            for one in node.names:
                self._names[one.asname or one.name] = f"{node.module}.{one.name}"

    def _full(self, node: ast.AST) -> str:
        """Return the dotted name of what is called, through `import … as`, `__import__("…")` and getattr."""
        match node:
            case ast.Name(id=name):
                return self._names.get(name, name)
            case ast.Attribute(value=value, attr=attr):
                return f"{self._full(value)}.{attr}"
            case ast.Call(func=ast.Name(id="__import__") | ast.Attribute(attr="import_module"), args=[given, *_]):
                return folded(given) or "?"
            case ast.Call(func=ast.Name(id="getattr"), args=[inner, given, *_]):
                return f"{self._full(inner)}.{folded(given) or '?'}"
            case ast.Call(func=func):
                return f"{self._full(func)}()"
            case _:
                return "?"

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Open a scope for the function."""
        self._scopes.append(_Scope(line=node.lineno))
        self.generic_visit(node)
        self._judge(self._scopes.pop(), top=False)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - NodeVisitor's names

    def visit_Assign(self, node: ast.Assign) -> None:
        """Remember names that get decoded or downloaded content."""
        taint = self._taint(node.value)
        for target in node.targets:
            if isinstance(target, ast.Name):
                if taint:
                    self._tainted[target.id] = taint
                if isinstance(node.value, ast.Attribute | ast.Name) and self._full(node.value) in RUNS | SHELLS:
                    self._names[target.id] = self._full(node.value)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        """Keep the texts of the scope."""
        if isinstance(node.value, str | bytes):
            text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
            self._scopes[-1].texts.append(text[:4000])

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """Leave out `os.environ.get` and the like: only the environment as a whole is loot."""
        if isinstance(node.value, ast.Attribute | ast.Name) and self._full(node.value) in _ENVIRONMENT:
            if node.attr in ("copy", "items", "values"):
                self._scopes[-1].secrets.add("the whole environment")
            return
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        """Judge a call by its name and by where its arguments come from."""
        name = self._full(node.func)
        scope = self._scopes[-1]
        scope.calls.add(name)
        if hidden := _hidden_name(node):
            self._say("hidden-name", Severity.HIGH, node, f"puts the name {visible(hidden)!r} together out of pieces")
        given = [*node.args, *(one.value for one in node.keywords)]
        if name in ("dict", "str", "json.dumps", "repr", "list") and any(self._is_environment(one) for one in given):
            scope.secrets.add("the whole environment")
        if name in RUNS or name in SHELLS:
            taint = next((taint for one in given if (taint := self._taint(one))), "")
            if taint:
                self._say("runs-hidden-code", Severity.CRITICAL, node, f"{name} runs {taint}")
            elif name in RUNS and any(_is_built(one) for one in node.args[:1]):
                self._say("runs-hidden-code", Severity.CRITICAL, node, f"{name} runs a text put together from numbers")
        if name in SHELLS and self._is_remote(given):
            self._say("remote-execution", Severity.CRITICAL, node, f"{name} fetches a program and runs it")
        self.generic_visit(node)

    def _is_remote(self, given: list[ast.expr]) -> bool:
        pieces = [part.value for one in given for part in ast.walk(one) if isinstance(part, ast.Constant)]
        return remote_command(" ".join(one for one in pieces if isinstance(one, str)))

    def _is_environment(self, node: ast.AST) -> bool:
        inner = node.args[0] if isinstance(node, ast.Call) and node.args else node
        return self._full(inner) in _ENVIRONMENT

    def _taint(self, node: ast.AST) -> str:
        """Return what makes the value of an expression suspicious: decoded or downloaded content."""
        decoded = ""
        for part in ast.walk(node):
            if isinstance(part, ast.Call):
                name = self._full(part.func)
                plain = name.removesuffix(".decode")
                if any(plain == one or plain.startswith(f"{one}()") for one in _SENDS):
                    return "what it downloads"
                decoded = decoded or ("what it decodes" if plain.split("()")[0] in DECODES else "")
            elif isinstance(part, ast.Name) and part.id in self._tainted:
                return self._tainted[part.id]
        return decoded

    def _judge(self, scope: _Scope, *, top: bool) -> None:
        """Put together what a scope reads and what it sends."""
        text = "\n".join(scope.texts).encode("utf-8", "replace").decode()
        sends = {name for name in scope.calls if name in FETCHES or name.split("()")[0] in FETCHES}
        if not any(name.rpartition(".")[2] in _SPEAKS for name in scope.calls):
            sends -= {"socket.socket"}  # only binds, to find a free port
        secrets = scope.secrets | {found[0] for found in SECRET_PLACE.finditer(text)}
        drop = DROP_HOST.search(text)
        line = scope.line
        if sends and secrets:
            why = f"reads {', '.join(sorted(map(visible, secrets))[:3])} and calls {min(sends)}"
            self._add("sends-secrets", Severity.HIGH, line, why)
        if drop and sends:
            severe = Severity.HIGH if top or self.eager or secrets else Severity.MEDIUM
            self._add("drop-host", severe, line, f"talks to {visible(drop[0])}, where collected data is dropped")
        if "os.dup2" in scope.calls and any(name.startswith("socket.") for name in scope.calls):
            self._add("reverse-shell", Severity.CRITICAL, line, "ties a shell to a network connection")
        shells = scope.calls & (SHELLS | RUNS)
        if self.eager and sends and shells:
            self._add("install-downloads", Severity.HIGH, line, f"calls {min(sends)} and {min(shells)} on its own")
        elif self.eager and scope.calls & SHELLS:
            why = f"calls {min(scope.calls & SHELLS)} without being asked for"
            self._add("install-runs", Severity.MEDIUM, line, why)
        elif self.eager and sends:
            self._add("install-network", Severity.MEDIUM, line, f"calls {min(sends)} without being asked for")

    def _say(self, rule: str, severity: Severity, node: ast.AST, why: str) -> None:
        self._add(rule, severity, getattr(node, "lineno", 0), why)

    def _add(self, rule: str, severity: Severity, line: int, why: str) -> None:
        self.found.append(Finding(rule, severity, why, f"{self.path}:{line}" if line else self.path))


_TELLING = frozenset(
    name
    for line in (
        "os posix nt subprocess pty builtins socket ctypes base64 marshal urllib.request requests shutil",
        "system popen Popen exec eval spawnl execv call check_output b64decode loads urlopen",
    )
    for name in line.split()
)
"""Names that honest code writes out."""


def folded(node: ast.AST) -> str:
    """Return the text that an expression of literals comes to: 'o' + 's', ''.join([…]), 'so'[::-1]; else nothing."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            first, second = folded(left), folded(right)
            return first + second if first and second else ""
        case ast.Subscript(value=value, slice=ast.Slice(lower=None, upper=None, step=ast.UnaryOp(op=ast.USub()))):
            return folded(value)[::-1]
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str() as between), attr="join"), args=[parts]):
            pieces = [folded(one) for one in parts.elts] if isinstance(parts, ast.List | ast.Tuple) else []
            return between.join(pieces) if pieces and all(pieces) else ""
        case _:
            return ""


def _hidden_name(node: ast.Call) -> str:
    """Return the telling name that an import or a look-up puts together instead of writing it down."""
    match node:
        case ast.Call(func=ast.Name(id="__import__") | ast.Attribute(attr="import_module"), args=[given, *_]):
            pass
        case ast.Call(func=ast.Name(id="getattr"), args=[_, given, *_]):
            pass
        case _:
            return ""
    name = "" if isinstance(given, ast.Constant) else folded(given)
    return name if name in _TELLING else ""


def _is_built(node: ast.AST) -> bool:
    """Return whether a text is put together from character codes: ''.join(map(chr, …)), bytes([…]).decode()."""
    parts = list(ast.walk(node))
    codes = any(isinstance(one, ast.Name) and one.id == "chr" for one in parts)
    numbers = sum(isinstance(one, ast.Constant) and type(one.value) is int for one in parts)
    return codes or numbers >= 16


_FAR = re.compile(rb"[;:] {120,}(?=[^\s#])([^\n]{3,200})")
_GAP = b" " * 120


def _hidden(source: bytes, path: str) -> Iterator[Finding]:
    """Name code that is pushed out of the window with spaces, as hostile packages do after a harmless line."""
    if _GAP not in source:
        return
    for match in _FAR.finditer(source):
        line = source.count(b"\n", 0, match.start()) + 1
        shown = visible(match[1].decode("utf-8", "replace"))[:80]
        yield Finding("hidden-code", Severity.HIGH, f"code far to the right, out of sight: {shown}", f"{path}:{line}")
