"""Judges chat templates, which are Jinja programs that a model server runs: in GGUF files, JSON and files of their own.

A template writes messages down. It has no need of Python's inner names (CVE-2024-34359), of other templates, or of
names that it puts together out of pieces, which is how such names are kept out of sight.
"""

import re
from collections.abc import Iterator

import jinja2
from jinja2 import nodes

from bartizan.core.findings import Finding, Severity

_UNSAFE_NAME = re.compile(
    r"_\w*|mro|subclasses|globals|builtins|getattr|setattr|import|eval|exec|popen|(?:f|func|tb|gi|cr|ag|co)_\w+",
)
_ESCAPES = frozenset({"self", "lipsum", "cycler", "joiner", "config", "request"})
_NUMBERS = frozenset({"length", "count", "int", "abs", "max", "min", "first", "last", "round", "sum"})
"""Filters whose result may be an index."""
_GENERATION = re.compile(r"\{%-?\s*(?:end)?generation\s*-?%\}")
"""Marks that trainers put around what the assistant says; Jinja itself does not know them."""
_INNER = re.compile(
    r"__(?:class|bases?|mro|subclasses|globals|builtins|import|init|dict|getattr\w*|getitem|code|func|reduce\w*|new|self|"
    r"loader|spec|call|closure)__|mro|popen|eval|exec|getattr|f_\w+|func_\w+|gi_\w+|tb_\w+"
)
"""Names that nobody needs to put together."""


def chat_template(source: str, where: str) -> list[Finding]:
    """Return what a chat template does beyond writing messages down."""
    environment = jinja2.Environment(autoescape=True, extensions=["jinja2.ext.loopcontrols", "jinja2.ext.do"])
    try:
        tree = environment.parse(_GENERATION.sub("", source))
        wrong = list(dict.fromkeys(_wrong(tree)))
    except (jinja2.TemplateError, RecursionError) as error:
        return [Finding("template-unreadable", Severity.MEDIUM, f"no Jinja template: {error}", where)]
    return [Finding("template-injection", severity, why, where) for severity, why in wrong]


def _wrong(tree: nodes.Template) -> Iterator[tuple[Severity, str]]:
    for node in tree.find_all(nodes.Node):
        match node:
            case nodes.Import() | nodes.FromImport() | nodes.Include() | nodes.Extends():
                yield Severity.HIGH, "it loads another template"
            case nodes.Getattr(attr=name) | nodes.Getitem(arg=nodes.Const(value=str() as name)):
                if _UNSAFE_NAME.fullmatch(name):
                    yield Severity.HIGH, f"it reaches for {name!r}"
            case nodes.Getitem(arg=argument):
                yield from _computed(argument)
            case nodes.Filter(name="attr"):
                yield Severity.HIGH, "it picks attributes by computed names"
            case nodes.Name(name=name) if name in _ESCAPES:
                yield Severity.HIGH, f"it uses {name}, a way out of the sandbox"
            case nodes.Keyword(key=name) if name.startswith("__"):
                yield Severity.HIGH, f"it names {name!r}"
            case nodes.Concat() | nodes.Add() | nodes.Filter(name="join" | "format" | "reverse" | "replace"):
                yield from _put_together(node)
            case nodes.Call(node=nodes.Getattr(node=nodes.Const(value=str() as text), attr="format")) if "__" in text:
                yield Severity.HIGH, "it reaches for inner names through a format"
            case _:
                pass


def _put_together(node: nodes.Node) -> Iterator[tuple[Severity, str]]:
    text = _folded(node)
    if text is not None and _INNER.fullmatch(text):
        yield Severity.HIGH, f"it puts the name {text!r} together out of pieces"
    elif isinstance(node, nodes.Filter) and "%c" in str(_literal(node.node)):
        yield Severity.HIGH, "it writes a text by the numbers of its letters"


def _computed(argument: nodes.Node) -> Iterator[tuple[Severity, str]]:
    """Judge the index of something: a number, a plain name or a literal is ordinary, a name out of pieces is not."""
    pieces = [argument, *argument.find_all((nodes.Concat, nodes.Filter, nodes.Add))]
    for piece in pieces:
        if isinstance(piece, nodes.Concat) or (isinstance(piece, nodes.Filter) and piece.name not in _NUMBERS):
            yield Severity.MEDIUM, "it picks a value by a name that it computes"
            return
        if isinstance(piece, nodes.Add) and any(isinstance(_literal(one), str) for one in (piece.left, piece.right)):
            yield Severity.MEDIUM, "it picks a value by a name that it computes"
            return


def _literal(node: nodes.Node | None) -> object:
    return node.value if isinstance(node, nodes.Const) else None


def _folded(node: nodes.Node) -> str | None:
    """Return the text that an expression of literals comes to; None when anything else is in it."""
    match node:
        case nodes.Const(value=str() as text):
            return text
        case nodes.Concat(nodes=parts):
            return _joined([_folded(one) for one in parts], "")
        case nodes.Add(left=left, right=right):
            return _joined([_folded(left), _folded(right)], "")
        case nodes.Filter(name="join", node=nodes.List(items=parts) | nodes.Tuple(items=parts), args=arguments):
            between = _folded(arguments[0]) if arguments else ""
            return None if between is None else _joined([_folded(one) for one in parts], between)
        case nodes.Filter(name="reverse", node=nodes.Node() as inner):
            turned = _folded(inner)
            return None if turned is None else turned[::-1]
        case nodes.Filter(
            name="replace", node=nodes.Node() as inner, args=[nodes.Const() as old, nodes.Const() as new]
        ):
            before = _folded(inner)
            return None if before is None else before.replace(str(old.value), str(new.value))
        case _:
            return None


def _joined(parts: list[str | None], between: str) -> str | None:
    return None if any(one is None for one in parts) else between.join(one for one in parts if one is not None)
