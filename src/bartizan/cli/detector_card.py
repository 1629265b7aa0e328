"""The card of a classifier for people: what it is for, what it was made of, how well it does on what, where it ends."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bartizan.core.errors import BadArtifact
from bartizan.detect.foreign import LEAST

_COMMANDS = {
    "detect.json": "make bench-detect",
    "detect_pages.json": "make bench-detect-pages",
    "detect_disguises.json": "make bench-detect-disguises",
    "detect_stream.json": "make bench-detect-stream",
    "detect_speed.json": "make bench-detect-speed",
}


def markdown(card: Mapping[str, Any], measured: Sequence[Path]) -> str:
    """Return the card as Markdown, with a section for each result file of the benches that is named."""
    lines = [
        "# Card of the text classifier",
        "",
        "Written by `bartizan detector info --markdown RESULT…`; the test of that command keeps it fresh.",
        "",
        f"It {card['what']}.",
        "",
        "## Thresholds",
        "",
        "Log odds, by budget of false positives and by length; between two lengths by the logarithm of the tokens.",
        "",
        f"Orders foreign to their document are looked for from {LEAST} tokens on; how foreign adds to the score.",
        "",
        "| budget | tokens | attack on the assistant | order planted in a document | the same, foreign to it |",
        "|---|---|---|---|---|",
        *(
            f"| {name} | {tokens:.0f} | {attack} | {planted} | {foreign if tokens >= LEAST else ''} |"
            for name, one in card["thresholds"].items()
            for tokens, attack, planted, foreign in zip(*_columns(one), strict=True)
        ),
        "",
        "## Training",
        "",
        *(f"- {name}: {value}" for name, value in {**card["training"], **card["recipe"]}.items()),
        "",
        "## Data",
        "",
        *_data(card["data"]),
        "",
        *(line for number, lesson in enumerate(card.get("lessons", ()), 1) for line in _lesson(number, lesson)),
        "## Limits",
        "",
        *(f"- {one}" for one in card["limits"]),
    ]
    for path in measured:
        lines += ["", *_measured(path)]
    return "\n".join(lines) + "\n"


def _columns(thresholds: Mapping[str, Sequence[float]]) -> Iterator[Sequence[float | str]]:
    """Yield lengths and thresholds; cards of older classifiers have none for orders foreign to their document."""
    yield from (thresholds[name] for name in ("tokens", "attack", "planted"))
    yield thresholds.get("foreign", [""] * len(thresholds["tokens"]))


def _lesson(number: int, lesson: Mapping[str, Any]) -> Iterator[str]:
    """Yield a section about a lesson that came after the training."""
    yield f"## Lesson {number} after the training: it went on, on rows like these"
    yield ""
    yield from (f"- {name}: {value}" for name, value in {**lesson["training"], **lesson["recipe"]}.items())
    yield ""
    yield from _data(lesson["data"])
    yield ""


def _data(rows: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield a table: sources of one kind and licence in one row."""
    together: dict[tuple[str, str], list[tuple[str, Mapping[str, Any]]]] = defaultdict(list)
    for name, entry in rows.items():
        kind, _, detail = name.partition(": ")
        together[kind, str(entry["licence"])].append((detail, entry))
    yield "| source | licence | attacks | innocent | attack not asked |"
    yield "|---|---|---|---|---|"
    for (kind, licence), many in together.items():
        counts = [sum(int(one[name]) for _, one in many) for name in ("attack", "innocent", "unasked")]
        shown = kind if len(many) == 1 and not many[0][0] else f"{kind} ({len(many)} kinds)"
        yield f"| {shown} | {licence} | {counts[0]} | {counts[1]} | {counts[2]} |"


def _measured(path: Path) -> Iterator[str]:
    """Yield a section of one result file: its question, the command, and a line for each figure."""
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
        title = str(result["what"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadArtifact(f"{path}: expected a result file of a bench: {error}") from error
    yield f"## {title}"
    yield ""
    yield f"`{_COMMANDS.get(path.name, 'bench')}`, `bench/results/{path.name}`."
    yield ""
    if "quality" in result:
        yield from _slices(result["quality"]["bartizan"]["slices"])
        return
    for name, value in result.items():
        if name not in ("what", "seed", "versions"):
            yield from _figures(name, value)


def _slices(slices: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield a table of every source: recall or false positives, with the ends of the interval."""
    yield "Recall of attacks, false positives of innocent texts; in brackets the interval (95 %)."
    yield ""
    yield "| source | rows | trained on | at 1 % | at 0.1 % | as shipped |"
    yield "|---|---|---|---|---|---|"
    for name, one in slices.items():
        if one["n"] >= 20:
            shown = [_share(one[figure]) for figure in ("at 1.0%", "at 0.1%", "as shipped")]
            yield f"| {name} | {one['n']} | {'yes' if one['trained_on'] else 'no'} | {' | '.join(shown)} |"


def _figures(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield f"- {name}:"
        for key, one in value.items():
            if isinstance(one, dict):
                told = "; ".join(f"{inner} {_shown(figure)}" for inner, figure in one.items())
                yield f"  - {key}: {told}"
            else:
                yield f"  - {key}: {_shown(one)}"
    else:
        yield f"- {name}: {_shown(value)}"


def _shown(value: Any) -> str:
    """Return a share with its interval as percent; anything else as it is."""
    share = isinstance(value, list) and len(value) >= 3 and all(isinstance(one, float | int) for one in value)
    if share and value[1] <= value[0] <= value[2] <= 1:
        return _share(value) + (f", n = {value[3]}" if len(value) > 3 else "")
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _share(value: Sequence[float]) -> str:
    return f"{value[0]:.1%} [{value[1]:.1%}, {value[2]:.1%}]"
