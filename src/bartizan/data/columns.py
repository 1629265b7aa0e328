"""What the columns of a table of records are: the class, prompts and their answers, other texts, plain values."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from bartizan.data.checks.base import Labels
from bartizan.data.staging import label_column

if TYPE_CHECKING:
    import polars

_PROMPTS = ("instruction", "prompt", "question", "query", "input", "user", "context")
_ANSWERS = ("output", "response", "answer", "completion", "chosen", "assistant", "target")
_CHATS = ("messages", "conversations", "conversation", "chat")
_LEAST_WORDS = 3.0
_MOST_CLASSES = 0.2


@dataclass(frozen=True)
class Columns:
    """A frame read for the checks. Lists are as long as the frame."""

    prompts: list[str]
    """Empty, unless there are answers too."""
    answers: list[str]
    texts: dict[str, list[str]]
    """Every column of running text, prompts and answers included."""
    asked: tuple[str, ...]
    """Which of `texts` are prompts; none, unless there are answers too."""
    labels: Labels | None
    """Numbers of the classes, -1 where a row has none; None without a class."""
    names: tuple[str, ...]
    values: "polars.DataFrame"
    """The columns that are neither class nor text."""


def columns(frame: "polars.DataFrame", label: str) -> Columns:
    """Return what the columns of `frame` are; `label` names the class as in an admission."""
    import polars as pl

    named = label_column(frame.columns, label)
    texts = {
        one.name: one.fill_null("").to_list() for one in frame.iter_columns() if one.name != named and _is_text(one)
    }
    chats = [name for name in frame.columns if name.lower() in _CHATS and frame[name].dtype == pl.String]
    prompts, answers = _pairs(texts)
    asked = tuple(name for name in texts if prompts and name.lower() in _PROMPTS)
    if chats:
        prompts, answers = _chat(frame[chats[0]].to_list())
        texts = {name: values for name, values in texts.items() if name not in chats} | {chats[0]: answers}
        texts[f"{chats[0]} (prompts)"] = prompts
        asked = (f"{chats[0]} (prompts)",)
    numbers, names = _classes(frame, named)
    rest = [name for name in frame.columns if name != named and name not in texts and name not in chats]
    return Columns(prompts, answers, texts, asked, numbers, names, frame.select(rest))


def _is_text(series: "polars.Series") -> bool:
    import polars as pl

    if series.dtype != pl.String:
        return False
    known = series.drop_nulls()
    return known.len() > 0 and float(known.head(500).str.count_matches(r"\S+").mean() or 0) >= _LEAST_WORDS  # type: ignore[arg-type]


def _pairs(texts: dict[str, list[str]]) -> tuple[list[str], list[str]]:
    asked = [texts[name] for name in texts if name.lower() in _PROMPTS]
    answered = [texts[name] for name in texts if name.lower() in _ANSWERS]
    if not asked or not answered:
        return [], []
    return ["\n".join(parts) for parts in zip(*asked, strict=True)], answered[0]


def _chat(values: list[str | None]) -> tuple[list[str], list[str]]:
    """Return what users and what assistants said in each conversation (JSON: role and content, or from and value)."""
    prompts, answers = [], []
    for value in values:
        try:
            turns = msgspec.json.decode(value or "[]")
        except msgspec.DecodeError:
            turns = []
        said = [_turn(one) for one in turns if isinstance(one, dict)] if isinstance(turns, list) else []
        answers.append("\n".join(text for role, text in said if role in ("assistant", "gpt", "model", "bot")))
        prompts.append("\n".join(text for role, text in said if role not in ("assistant", "gpt", "model", "bot")))
    return prompts, answers


def _turn(one: dict[str, Any]) -> tuple[str, str]:
    content = one.get("content", one.get("value", ""))
    return str(one.get("role", one.get("from", ""))).lower(), content if isinstance(content, str) else str(content)


def _classes(frame: "polars.DataFrame", named: str) -> tuple[Labels | None, tuple[str, ...]]:
    """Return the class of each row; None when there is none, or so many values that it is no class."""
    if not named:
        return None, ()
    series = frame[named]
    known = series.drop_nulls().unique().sort()
    if known.len() < 2 or known.len() > max(2, _MOST_CLASSES * frame.height):
        return None, ()
    number = {value: at for at, value in enumerate(known.to_list())}
    labels = np.array([-1 if value is None else number[value] for value in series.to_list()], np.int64)
    return labels, tuple(str(value)[:60] for value in known.to_list())
