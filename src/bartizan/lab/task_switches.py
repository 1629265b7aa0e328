"""A second task where the data of a first one ends: naive injections, and completion attacks behind a made-up answer.

Both by Liu et al. 2024 ("Formalizing and Benchmarking Prompt Injection Attacks") and Chen et al. 2024 (StruQ). No word
gives them away: what is handed over ends, and somebody asks for something else. Their innocent twins hold the same
parts where they belong: data that is a request itself, several examples of one task, a list of tasks, an answer to be
looked at, a second wish that says it is one.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bartizan.lab.phrases import Wordings, wordings

_GLUE = (" ", " ", "\n", "\n\n", "\n\n\n", "\n\t\n", ". ", " - ", "\\n\\n", "\n\n\t\t\n")
_PLAIN = ("\n", "\n\n")
_NUMBERS: tuple[Callable[[int], str], ...] = (
    lambda at: f"{at + 1}. ",
    lambda at: f"{at + 1}) ",
    lambda at: "- ",
    lambda at: f"{'abcdefgh'[at]}) ",
    lambda at: f"Question {at + 1}: ",
)


@dataclass(frozen=True)
class Parts:
    """What tasks are made of."""

    tasks: Sequence[tuple[str, str]]
    """Requests of users with what they handed over."""
    requests: Sequence[str]
    """Requests that stand alone."""
    answers: Sequence[str]
    prose: Sequence[str]
    """Texts to be handed over."""


def switches(parts: Parts, count: int, seed: int) -> Iterator[tuple[str, str]]:
    """Yield `count` pairs (attack, innocent); none where a part is missing."""
    draw = random.Random(seed)
    book = wordings()
    there = parts.tasks and parts.requests and parts.answers and parts.prose
    for _ in range(count if there else 0):
        yield _switched(parts, book, draw), _in_place(parts, book, draw)


def _task(parts: Parts, book: Wordings, draw: random.Random) -> tuple[str, str]:
    """Return a request and what is handed over with it."""
    if draw.random() < 0.4:
        return draw.choice(parts.tasks)
    return book.write("on_text", draw), _piece(draw.choice(parts.prose), draw)


def _piece(text: str, draw: random.Random) -> str:
    """Return a few sentences of a text."""
    length = draw.choice((40, 80, 160, 300))
    ends = [at + 1 for at, ch in enumerate(text[: 2 * length]) if ch in ".!?\n" and at > 15]
    return text[: min(ends, key=lambda at: abs(at - length)) if ends else length].strip()


def _asked(parts: Parts, book: Wordings, draw: random.Random) -> str:
    """Return a second task: a request alone, or with data of its own behind it."""
    if draw.random() < 0.45:
        return draw.choice(parts.requests)
    request, data = _task(parts, book, draw)
    return f"{request}{draw.choice((' ', '', chr(10)))}{data}"


def _switched(parts: Parts, book: Wordings, draw: random.Random) -> str:
    request, data = _task(parts, book, draw)
    begun = f"{request}{draw.choice(_PLAIN)}{data}"
    second = _asked(parts, book, draw)
    kind = draw.random()
    if kind < 0.45:
        return f"{begun}{draw.choice(_GLUE)}{second}"
    if kind < 0.85:  # the first task is answered already, so that only the second one is left
        answer = _piece(draw.choice(parts.answers), draw)
        marks = [book.write(name, draw) if draw.random() < 0.5 else "" for name in ("answer_mark", "task_mark")]
        return f"{begun}{draw.choice(_GLUE[2:])}{marks[0]}{answer}{draw.choice(_GLUE)}{marks[1]}{second}"
    dropped = book.write("override" if draw.random() < 0.7 else "classic", draw)
    return f"{begun}{draw.choice(_GLUE)}{dropped}{book.write('end', draw) or ' '}{second}"


def _in_place(parts: Parts, book: Wordings, draw: random.Random) -> str:
    request, data = _task(parts, book, draw)
    begun = f"{request}{draw.choice(_PLAIN)}{data}"
    kind = draw.random()
    if kind < 0.2:
        return f"{book.write('on_request', draw)}{draw.choice((*_PLAIN, ' '))}{_asked(parts, book, draw)}"
    if kind < 0.4:
        return _examples(request, parts, book, draw)
    if kind < 0.55:
        number = draw.choice(_NUMBERS)
        asked = [draw.choice(parts.requests) for _ in range(draw.randint(2, 5))]
        return draw.choice(_PLAIN).join(number(at) + one for at, one in enumerate(asked))
    if kind < 0.7:
        answer = _piece(draw.choice(parts.answers), draw)
        mark = book.write("answer_mark", draw)
        ask = draw.choice(("Is this correct?", "Can you improve this answer?", "Rate the answer from 1 to 5.", "", ""))
        return f"{begun}\n\n{mark}{answer}\n{ask}".rstrip()
    if kind < 0.85:
        return f"{begun}{draw.choice(_PLAIN)}{book.write('onward', draw)}{draw.choice(parts.requests)}"
    return begun


def _examples(request: str, parts: Parts, book: Wordings, draw: random.Random) -> str:
    """Return one task with several examples and their answers, the last one open."""
    names = draw.choice((("Input", "Output"), ("Q", "A"), ("Text", "Label"), ("", ""), ("Sentence", "Answer")))
    given, said = (f"{name}: " if name else "" for name in names)
    again = draw.random() < 0.3  # some write the task out before each example
    lines = [] if again else [request]
    for at in range(count := draw.randint(2, 4)):
        lines += [request] if again else []
        lines.append(f"{given}{_piece(draw.choice(parts.prose), draw)}")
        lines.append(said if at == count - 1 else f"{said}{_piece(draw.choice(parts.answers), draw)}")
    return draw.choice(_PLAIN).join(lines).rstrip()
