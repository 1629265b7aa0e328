"""The classifier that comes with the package: network, encoder, and the card that says what they are."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bartizan.core.errors import BadArtifact
from bartizan.detect import encoder, network
from bartizan.detect.cascade import Cascade, Mix
from bartizan.detect.tokens import tokenizer

_ADDED = ("close", "long_share", "foreign", "beside")
"""Parts of the mix that cards of older classifiers do not name."""


@dataclass(frozen=True)
class Shipped:
    """A trained classifier and its card."""

    cascade: Cascade
    card: dict[str, Any]


def load(folder: Path) -> Shipped:
    """Return the classifier of a folder. Raises BadArtifact when a file is missing or broken."""
    try:
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        shape, mix = card["shape"], card["mix"]
        attack, planted = mix["floor"]
        return Shipped(
            Cascade(
                network.load(folder, tuple(shape["dilations"]), int(shape["around"])),
                encoder.load(folder),
                Mix(
                    (float(attack), float(planted)),
                    float(mix["share"]),
                    **{name: float(mix[name]) for name in _ADDED if name in mix},
                ),
                tokenizer(),
            ),
            card,
        )
    except (OSError, ValueError, KeyError) as error:
        raise BadArtifact(
            f"{folder}: expected card.json, network.npz and encoder.npz of one training: {error}"
        ) from error


def write_card(folder: Path, card: Mapping[str, Any]) -> None:
    """Write the card beside the weights."""
    (folder / "card.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


@cache
def shipped() -> Shipped:
    """Return the classifier that comes with the package."""
    return load(Path(__file__).parent / "weights")
