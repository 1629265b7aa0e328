"""Rules about calls of allowed globals: some are harmless only with certain arguments, some only without being called.

Sources: the constructors' own code, and the published abuses of allowlisted names (ShadowPickle, arXiv 2607.17503).
"""

import math
import re
from collections.abc import Callable, Iterator

from bartizan.supply.allowed import ENUMS, NUMPY_SETTINGS, tier
from bartizan.supply.values import Global, Made, Other, Persistent, Pile, Value

_LARGEST_SIZE = 1 << 28

FILLABLE = frozenset({"collections.OrderedDict", "collections.defaultdict", "collections.Counter", "collections.deque"})
"""Results of calls that items may be put into."""


def is_fillable(made: Made) -> bool:
    """Return whether items may be put into the result of this call: containers, and classes reviewed anyway."""
    return made.of.full in FILLABLE or tier(made.of.module, made.of.name) == 1


_ITEM_BYTES = re.compile(r"[<>|=]?([biufcmMSUV?])(\d{1,9})?")


def objections(made: Made, op: str) -> Iterator[str]:
    """Yield why this call must not run; nothing where it may."""
    match tier(made.of.module, made.of.name):
        case None:
            yield "not on the list of what may be loaded"
        case 1:
            # INST and OBJ call the class as well; NEWOBJ only makes an empty instance.
            if op in ("REDUCE", "INST", "OBJ") and not _is_class_without_call(made):
                yield "the class would be called, and its constructor may do anything"
        case _:
            rule = _RULES.get(made.of.full)
            why = _goes_through(made) or (rule(made.arguments) if rule else _of_module(made))
            if why:
                yield why


def _is_class_without_call(made: Made) -> bool:
    """Loading an extension type often calls it without arguments; that is as good as building it empty.

    An enumeration is called with a value.
    """
    match made.arguments:
        case []:
            return True
        case [str() | int()]:
            return made.of.full in ENUMS
        case _:
            return False


def _codecs_encode(arguments: list[Value]) -> str:
    match arguments:
        case [str() | Other(what="text"), "latin1" | "latin-1"]:
            return ""
        case _:
            return "only the plain latin1 form that old pickles use for bytes is allowed"


def _ordered_dict(arguments: list[Value]) -> str:
    match arguments:
        case [] | [Pile(kind="list" | "tuple" | "dict")]:
            return ""
        case _:
            return "takes nothing, or pairs"


def _default_dict(arguments: list[Value]) -> str:
    match arguments:
        case [] | [None]:
            return ""
        case [Global(module=module, name=name)] if tier(module, name) == 0:
            return ""
        case _:
            return "its factory would be called at every missing key"


def _goes_through(made: Made) -> str:
    """A container that is made out of another object runs that object's own methods."""
    if made.of.module not in ("builtins", "__builtin__", "collections"):
        return ""
    lively = [one for one in made.arguments if isinstance(one, Made) and tier(one.of.module, one.of.name) == 1]
    return f"would run methods of {lively[0].of}" if lively else ""


def _reconstructor(arguments: list[Value]) -> str:
    match arguments:
        case [Global(), Global(module=module, name=name), *_] if tier(module, name) == 0:
            return ""
        case [Global(), Global(), *_]:
            return "its second class would be called, and may do anything"
        case _:
            return "takes two classes and a state"


def _bit_generator(arguments: list[Value]) -> str:
    match arguments[1:]:
        case [] | [Global(module="numpy.random._pickle", name="__bit_generator_ctor")]:
            return ""
        case _:
            return "would call its second argument"


def _storage_first(arguments: list[Value]) -> str:
    if arguments and (isinstance(arguments[0], Persistent) or _is_storage(arguments[0])):
        return ""
    return "takes a storage of the container"


def _is_storage(value: Value) -> bool:
    return (
        isinstance(value, Made) and value.of.module in ("torch", "torch.storage") and value.of.name.endswith("Storage")
    )


def _from_type(arguments: list[Value]) -> str:
    match arguments:
        case [Global(module="torch._utils") as rebuild, Global(), Pile(kind="tuple") as inner, *_]:
            return "; ".join(objections(Made(rebuild, inner.items), "REDUCE"))
        case _:
            return "would call its first argument"


def _wrapped(arguments: list[Value]) -> str:
    match arguments:
        case [Global(module=module, name=name), *_] if tier(module, name) == 0:
            return ""
        case _:
            return "would build an instance of its first argument"


def _nothing(arguments: list[Value]) -> str:
    return "is given its content afterwards, not when it is called" if arguments else ""


def _pattern(arguments: list[Value]) -> str:
    match arguments:
        case [str() | bytes(), int()]:
            return ""
        case _:
            return "takes a short pattern and its flags"


def _no_huge_size(arguments: list[Value]) -> str:
    match arguments:
        case [int() as size, *_] if size > _LARGEST_SIZE:
            return f"would take {size} bytes of memory"
        case _:
            return ""


_NUMBERS_ONLY = ("sklearn.linear_model._sgd_fast", "sklearn._loss._loss")
_NEVER_CALLED = (
    *("sklearn.feature_selection._univariate_selection", "sklearn.feature_selection.univariate_selection"),
    *("torch.nn.functional", "torch._C._nn", "typing"),
    *("sklearn.cluster._kmeans", "scipy._lib.array_api_compat.numpy._aliases"),
)


def _of_module(made: Made) -> str:
    """Losses take numbers; functions that estimators keep as a setting are named in a model, never called by it."""
    if made.of.module in _NUMBERS_ONLY:
        numbers = all(isinstance(one, int | float) or one == Other("number") for one in made.arguments)
        return "" if numbers else "takes numbers only"
    named = made.of.module in _NEVER_CALLED or (made.of.module == "numpy" and made.of.name in NUMPY_SETTINGS)
    return "is kept as a setting in models, and not called when one is loaded" if named else ""


_RULES: dict[str, Callable[[list[Value]], str]] = {
    "_codecs.encode": _codecs_encode,
    "builtins.bytes": _no_huge_size,
    "builtins.bytearray": _no_huge_size,
    "collections.OrderedDict": _ordered_dict,
    "collections.defaultdict": _default_dict,
    "copyreg._reconstructor": _reconstructor,
    "re._compile": _pattern,
    "argparse.Namespace": _nothing,
    "types.SimpleNamespace": _nothing,
    "random.Random": _nothing,
    "torch._utils._rebuild_tensor_v2": _storage_first,
    "torch._utils._rebuild_tensor": _storage_first,
    "numpy.random._pickle.__generator_ctor": _bit_generator,
    "numpy.random._pickle.__randomstate_ctor": _bit_generator,
    "torch._tensor._rebuild_from_type_v2": _from_type,
    "torch._utils._rebuild_wrapper_subclass": _wrapped,
}


def joblib_array_bytes(state: Value, data: memoryview, at: int) -> int | None:
    """Return the bytes of padding and array behind a NumpyArrayWrapper; -1 for a pickle of objects, None if unclear.

    Layout: joblib/numpy_pickle.py. With an alignment the first byte says how much padding follows.
    """
    if not isinstance(state, Pile):
        return None
    shape, dtype, alignment = state.get("shape"), state.get("dtype"), state.get("numpy_array_alignment_bytes")
    if not isinstance(shape, Pile) or not isinstance(dtype, Made) or shape.more:
        return None
    sides = [side for side in shape.items if isinstance(side, int)]
    kind = dtype.arguments[0] if dtype.arguments else None
    if len(sides) != len(shape.items) or any(side < 0 for side in sides) or not isinstance(kind, str | bytes):
        return None
    letters = kind.decode("ascii", "replace") if isinstance(kind, bytes) else kind
    if letters.lstrip("|=<>").startswith("O"):
        return -1
    match = _ITEM_BYTES.fullmatch(letters)
    if not match:
        return None
    width = {"?": 1}.get(match[1], int(match[2] or 1)) * (4 if match[1] == "U" else 1)
    padding = 0
    if alignment is not None:
        if at >= len(data):
            return None
        padding = 1 + data[at]
    return padding + width * math.prod(sides)
