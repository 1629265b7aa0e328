"""The page for the policy in force: every control's setting, its default and what it means. It changes nothing.

A setting is changed in `bartizan.toml`, where a review and a history are; the running gateway reads it at its start.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bartizan.core.errors import BadRequest
from bartizan.core.sections import Settings
from bartizan.core.settings import described, toml_value
from bartizan.dashboard.coverage import holes
from bartizan.dashboard.panels import Action, Item, Part

SECTIONS = ("gateway", "output", "policy", "theft", "tokens", "sso", "flagged", "data", "supply")
_LONGEST = 120
_PASSWORD = re.compile(r"(://[^/@\s\"]*?):[^/@\s\"]*@")
_MOST_RULES = 200_000


@dataclass(frozen=True)
class Policy:
    """The settings of the controls, those that leave something open first, then those that are not the default."""

    settings: Settings
    name: str = "policy"
    title: str = "Policy"
    about: str = "What each control is set to in bartizan.toml; what leaves something open stands first."
    columns: tuple[str, ...] = ("setting", "value", "default")
    actions: tuple[Action, ...] = ()

    def items(self) -> Sequence[Item]:
        """Return the settings."""
        tones = {hole.name: hole.tone for hole in holes(self.settings)}
        rows = [
            (tones.get(name, ""), value != default, Item(name, (name, value, default), tones.get(name, "")))
            for name, value, default, _ in self._keys()
        ]
        order = {"bad": 0, "warn": 1, "": 2}
        return [item for _, _, item in sorted(rows, key=lambda one: (order[one[0]], not one[1], one[2].id))]

    def detail(self, item: str) -> Sequence[Part]:
        """Return what a setting means, and the text of the rules where it names their file."""
        found = next((one for one in self._keys() if one[0] == item), None)
        if found is None:
            return ()
        meaning = Part("What it means", found[3])
        opened = [Part("What is open", hole.meaning) for hole in holes(self.settings) if hole.name == item]
        section, _, key = item.partition(".")
        value = getattr(getattr(self.settings, section), key)
        rules = [Part(f"The rules in {value}", _text(Path(value)))] if section == "policy" and _is_file(value) else []
        return (meaning, *opened, *rules)

    def act(self, action: str, item: str, who: str, values: Mapping[str, str]) -> str:
        """Refuse: settings are changed in the file."""
        raise BadRequest("settings are changed in bartizan.toml")

    def _keys(self) -> list[tuple[str, str, str, str]]:
        """Return (name, value, default, meaning) of every key."""
        found = []
        for section in SECTIONS:
            struct = getattr(self.settings, section)
            for key, default, meaning in described(type(struct)):
                value, usual = _shown(getattr(struct, key)), _shown(default)
                found.append((f"{section}.{key}", value, usual, meaning))
        return found


def _shown(value: object) -> str:
    """Return a value as the file writes it, without passwords in addresses."""
    text = _PASSWORD.sub(r"\1:…@", toml_value(msgspec.to_builtins(value)))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _is_file(value: object) -> bool:
    return isinstance(value, str) and bool(value) and Path(value).is_file()


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(_MOST_RULES)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
