"""Reads `bartizan.toml` and the environment: the only module that does.

An unknown key or a bad value is refused with file, line, key, what was expected and what was got. What a key means and
its default stand beside its type in `core/sections/`, one file per plane; `template()` writes them out for `init`.
"""

import os
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec

from bartizan.core.errors import BadSettings
from bartizan.core.sections import Settings

DEFAULT_FILE = "bartizan.toml"


def load(path: Path) -> Settings:
    """Return the settings in the TOML file at `path`. Raises BadSettings that names file, line, key, expected, got."""
    try:
        source = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BadSettings(f"{path}: no such file", hint="`bartizan init` writes one to start from.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"{path}: cannot be read: {error}", hint="Expected a UTF-8 TOML file.") from error
    return parse(source, str(path))


def parse(source: str, name: str = DEFAULT_FILE) -> Settings:
    """Return the settings written in the TOML text `source`; `name` is what errors call the file."""
    try:
        raw = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise BadSettings(f"{name}: not valid TOML: {error}") from error
    try:
        return msgspec.convert(raw, Settings)
    except msgspec.ValidationError as error:
        raise _explained(str(error), raw, source, name) from error


def secret(env: str, file: str, what: str) -> str:
    """Return the secret held by the environment variable `env` or the first line of `file`; `what` names it in errors.

    Exactly one of the two must be set. The value never appears in an error.
    """
    if bool(env) == bool(file):
        raise BadSettings(
            f"{what}: expected exactly one of an environment variable and a file, got {env!r} and {file!r}"
        )
    if env:
        value = os.environ.get(env, "")  # noqa: TID251 - this module is where the environment is read
        if not value:
            raise BadSettings(f"{what}: environment variable {env} is empty or not set", hint=f"export {env}=…")
        return value
    try:
        value = Path(file).read_text(encoding="utf-8").split("\n", 1)[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"{what}: file {file} cannot be read: {error}") from error
    if not value:
        raise BadSettings(f"{what}: file {file} is empty")
    return value


def environment_without_secrets(settings: Settings) -> dict[str, str]:
    """Return the environment for a program that we start, without the variables that hold our own secrets."""
    held = set(_secret_names(msgspec.to_builtins(settings)))
    return {name: value for name, value in os.environ.items() if name not in held}  # noqa: TID251 - as above


def _secret_names(node: Any) -> Iterator[str]:
    """Yield every environment variable that a key ending in `_env` names."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key.endswith("_env") and isinstance(value, str):
                yield value
            else:
                yield from _secret_names(value)
    elif isinstance(node, list | tuple):
        for value in node:
            yield from _secret_names(value)


def template() -> str:
    """Return a `bartizan.toml` in which every key stands with its meaning and its default, commented out."""
    lines = [
        "# Bartizan settings. Every key is shown with its default; remove the # to change one.",
        "# An unknown key or a bad value is refused at start.",
    ]
    for field in msgspec.structs.fields(Settings):
        lines += ["", *_section_lines(f"[{field.name}]", field.type)]
    return "\n".join(lines) + "\n"


def written(settings: Settings) -> str:
    """Return TOML that `parse` reads back to `settings`."""
    lines: list[str] = []
    for section, keys in msgspec.to_builtins(settings).items():
        tables = {key: value for key, value in keys.items() if _is_tables(value)}
        lines += [f"[{section}]", *_pairs({key: value for key, value in keys.items() if key not in tables})]
        for key, rows in tables.items():
            lines += [line for row in rows for line in (f"[[{section}.{key}]]", *_pairs(row))]
    return "\n".join(lines) + "\n"


def _is_tables(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and isinstance(value[0], dict)


def _pairs(keys: dict[str, Any]) -> list[str]:
    return [f"{key} = {toml_value(value)}" for key, value in keys.items() if value is not None]


def described(struct: type[msgspec.Struct]) -> list[tuple[str, Any, str]]:
    """Return (key, default, meaning) of every key of a section, in order. A key without a meaning is our bug."""
    hints = get_type_hints(struct, include_extras=True)
    return [
        (field.name, None if field.required else field_default(field), _meaning(hints[field.name]))
        for field in msgspec.structs.fields(struct)
    ]


def field_default(field: msgspec.structs.FieldInfo) -> Any:
    """Return the default of an optional field."""
    if field.default is not msgspec.NODEFAULT:
        return field.default
    if callable(field.default_factory):
        return field.default_factory()
    raise ValueError(f"{field.name} has no default")


def toml_value(value: Any) -> str:
    """Return `value` as TOML writes it."""
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return '""'
        case tuple() | list():
            return "[" + ", ".join(toml_value(item) for item in value) + "]"
        case dict():
            return "{ " + ", ".join(f"{key} = {toml_value(item)}" for key, item in value.items()) + " }"
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case _:
            return str(value)


def _section_lines(header: str, struct: type[msgspec.Struct]) -> list[str]:
    lines = [f"# {(struct.__doc__ or '').strip().splitlines()[0]}", header]
    for key, default, meaning in described(struct):
        lines.append(f"# {meaning}")
        item = _item_struct(get_type_hints(struct)[key])
        if item is None:
            lines.append(f"# {key} = {toml_value(default)}")
        else:
            mark = "#" if default else "##"  # no table stands there by default: what is shown is only an example
            lines += [f"{mark} {line}" for line in _section_lines(f"[[{header.strip('[]')}.{key}]]", item)]
    return lines


def _item_struct(hint: Any) -> type[msgspec.Struct] | None:
    """Return the Struct inside tuple[Struct, ...], or None."""
    for item in get_args(hint):
        if isinstance(item, type) and issubclass(item, msgspec.Struct):
            return item
    return None


def _meaning(hint: Any) -> str:
    for extra in getattr(hint, "__metadata__", ()):
        if isinstance(extra, msgspec.Meta) and extra.description:
            return extra.description
    raise BadSettings(f"{hint}: a settings key without a description")


def _explained(error: str, raw: dict[str, Any], source: str, name: str) -> BadSettings:
    """Turn msgspec's 'Expected X - at `$.a.b`' into file, line, key, expected, got."""
    what, _, where = error.partition(" - at ")
    path = where.strip("`").removeprefix("$").removeprefix(".")
    unknown = re.search(r"unknown field `(.+?)`", what)
    if unknown:
        key = f"{path}.{unknown[1]}" if path else unknown[1]
        expected = ", ".join(_known_keys(path))
        return BadSettings(f"{name}{_line(source, key)}: {key}: unknown key. Expected one of: {expected}")
    missing = re.search(r"missing required field `(.+?)`", what)
    if missing:
        key = f"{path}.{missing[1]}" if path else missing[1]
        return BadSettings(f"{name}{_line(source, path)}: {key}: missing. Expected a value")
    got = _lookup(raw, path)
    expected = what.removeprefix("Expected ").split(", got ")[0].replace("`", "")
    return BadSettings(f"{name}{_line(source, path)}: {path} = {toml_value(got)}: expected {expected}")


def _steps(path: str) -> list[str | int]:
    return [int(number) if number else word for word, number in re.findall(r"([A-Za-z_][\w-]*)|\[(\d+)\]", path)]


def _lookup(raw: Any, path: str) -> Any:
    for step in _steps(path):
        try:
            raw = raw[step]
        except (KeyError, IndexError, TypeError):
            return None
    return raw


def _known_keys(path: str) -> list[str]:
    struct: Any = Settings
    for step in _steps(path):
        if isinstance(step, int):
            continue
        hint = get_type_hints(struct)[step]
        struct = _item_struct(hint) or hint
    return [field.name for field in msgspec.structs.fields(struct)]


def _line(source: str, path: str) -> str:
    """Return ', line N' of the key that `path` names, or nothing when the text does not show it plainly."""
    words: list[str] = []
    wanted: dict[str, int] = {}
    for step in _steps(path):
        if isinstance(step, int):
            wanted[".".join(words)] = step
        else:
            words.append(step)
    if not words:
        return ""
    table, found, seen = "", "", Counter[str]()
    for number, line in enumerate(source.splitlines(), 1):
        header = re.match(r"\s*\[+\s*([\w.\-]+)\s*\]+", line)
        if header:
            table = header[1]
            seen[table] += 1
        if any(seen[name] not in (0, at + 1) for name, at in wanted.items()):
            continue  # another entry of a list of tables
        if header:
            if table == ".".join(words):
                found = f", line {number}"
        elif table == ".".join(words[:-1]) and re.match(rf"\s*{re.escape(words[-1])}\s*=", line):
            return f", line {number}"
    return found
