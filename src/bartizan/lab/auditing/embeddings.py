"""A store of vectors as an audit reports it: words, sentences, attributes, and defences with what they cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from bartizan.core.measures import Measurement
from bartizan.lab.auditing.family import Family, Grade
from bartizan.lab.auditing.subject import Progress
from bartizan.lab.inversion.embedding_study import Row, Sentences, Store, Words, baselines, measured, rebuilt
from bartizan.lab.inversion.vector_release import Defence, Plain, Rotation, ladder
from bartizan.lab.inversion.words import content, words

PAIRS = (0, 50, 200)
"""Stored vectors whose text the attacker of a rotation knows; as many as there are numbers undo it exactly."""
SHOWN = 12


def families(
    store: Store, *, sentences: int, questions: int, chosen: Defence | None = None, progress: Progress
) -> list[Family]:
    """Return what a store gives away. Sentences are rebuilt without a defence, and under `chosen` if there is one."""
    width = store.theirs.shape[1]
    plain = measured(store)
    rows = []
    wanted = ladder(width)
    for number, defence in enumerate(wanted):
        progress(defence.name, number, len(wanted))
        known = (*PAIRS, width) if isinstance(defence, Rotation) else (0,)
        rows += [measured(store, defence, pairs=pairs) for pairs in known if pairs <= len(store.own) // 2]
    progress("sentences", 0, 1)
    found = {"none": rebuilt(store, plain, Plain(), count=sentences, questions=questions)}
    if chosen is not None:
        row = measured(store, chosen)
        found[chosen.name] = rebuilt(store, row, chosen, count=sentences, questions=questions)
    progress("sentences", 1, 1)
    return [_words(store, plain), _sentences(store, plain, found), _attributes(plain, rows), _defences(plain, rows)]


def _words(store: Store, plain: Row) -> Family:
    found, guessed = plain.words, baselines(store, plain)
    rows = [("guess", "precision", "recall", "F1"), _figures("from the vector", found)]
    rows += [_figures(name, one) for name, one in guessed.items()]
    rows += [("", "", "", ""), ("value, all its words in the bag", "from the vector", *guessed)]
    rows += [
        (kind, str(share), *(str(one.values[kind]) for one in guessed.values())) for kind, share in found.values.items()
    ]
    base = max(one.f1.value for one in guessed.values())
    return Family(
        "words",
        _grade(found.f1, base),
        f"Words come back with an F1 of {found.f1.value:.2f}; guesses without the vector reach {base:.2f}.",
        found.f1,
        rows,
        notes=(
            f"{len(store.stolen)} stolen vectors; the attacker owns {len(store.own)} texts and asked the encoder for "
            f"their vectors. Decoder: linear, {len(plain.decoder.vocabulary)} words.",
        ),
    )


def _figures(name: str, found: Words) -> tuple[str, ...]:
    return (name, *(_short(one) for one in (found.precision, found.recall, found.f1)))


def _short(one: Measurement) -> str:
    return f"{one.value:.2f} [{one.low:.2f}, {one.high:.2f}]"


def _sentences(store: Store, plain: Row, found: Mapping[str, Sentences]) -> Family:
    kinds = sorted({kind for one in found.values() for kind in one.values})
    rows = [("defence", "F1 of words", "cosine reached", "texts asked", *(f"exact: {kind}" for kind in kinds))]
    for name, one in found.items():
        exact = (str(one.values[kind]) for kind in kinds)
        rows.append((name, _short(one.words.f1), _short(one.cosine), f"{one.questions.value:.0f}", *exact))
    first = found["none"]
    texts = []
    for note, made, bag in list(zip(store.stolen, first.rebuilt, plain.bags, strict=False))[:SHOWN]:
        texts.append(
            (f"cosine {made.cosine:.2f}, {made.questions} texts asked", marked(note.text, bag), escape(made.text))
        )
    return Family(
        "sentences",
        _grade(first.words.f1, 0.2),
        f"Rebuilt sentences share words with the true ones with an F1 of {first.words.f1.value:.2f}.",
        first.words.f1,
        rows,
        texts=texts,
        notes=(
            "Exact: the value stands in the rebuilt sentence letter by letter. Marked words of originals are in the "
            "recovered bag.",
        ),
    )


def marked(text: str, bag: frozenset[str]) -> str:
    """Return a text as HTML, with the words that are in the bag marked."""
    out, at = [], 0
    for word in words(text):
        start = text.lower().index(word, at)
        out.append(escape(text[at:start]))
        at = start + len(word)
        shown = escape(text[start:at])
        out.append(f"<mark>{shown}</mark>" if word in bag & content(text) else shown)
    return "".join(out) + escape(text[at:])


def _attributes(plain: Row, rows: Sequence[Row]) -> Family:
    name = "attribute inference"
    if not plain.attributes:
        return Family(name, "not measured", "Needs texts with attributes, on both sides.")
    most = max(plain.attributes, key=lambda one: plain.attributes[one].value)
    gain = plain.attributes[most]
    grade: Grade = "leaks" if gain.low > 0.05 else "little" if gain.low > 0 else "none"
    table = [("defence", "attacker", *plain.attributes)]
    table += [(one.defence, one.attacker, *map(str, one.attributes.values())) for one in (plain, *rows)]
    says = f"{most} is guessed right {gain.value:+.1%} more often than by its most frequent value."
    return Family(name, grade, says, gain, table, notes=("A linear guess from the vector; gain over having none.",))


def _defences(plain: Row, rows: Sequence[Row]) -> Family:
    table = [("defence", "attacker", "F1 of words", "recall@10 of retrieval")]
    table += [(one.defence, one.attacker, _short(one.words.f1), _short(one.kept)) for one in (plain, *rows)]
    curves: dict[str, list[tuple[float, float]]] = {}
    for one in rows:
        kind = one.defence.rstrip("0123456789.").removesuffix("ε=").strip()
        kind = "int8, binary" if kind in ("int", "int8", "binary") else kind
        if kind != "keyed rotation":
            curves.setdefault(kind.removesuffix(" to"), []).append((1 - one.kept.value, one.words.f1.value))
    worst = {one.defence: one for one in sorted(rows, key=lambda one: one.words.f1.value)}
    good = [one for one in worst.values() if one.words.f1.high < plain.words.f1.value / 2 and one.kept.low > 0.8]
    grade: Grade = "leaks" if not good else "little"
    says = (
        "No defence halves what words come back and keeps four fifths of the nearest ten."
        if not good
        else f"{good[0].defence} halves what words come back and keeps {good[0].kept.value:.0%} of the nearest ten."
    )
    return Family(
        "defences",
        grade,
        says,
        rows=table,
        curves=curves,
        headline="none" if not good else good[0].defence,
        notes=(
            "Every attacker learnt on vectors that went through the same defence. A rotation keeps angles: it costs "
            "retrieval nothing, and texts that the attacker knows turn it back.",
        ),
    )


def _grade(figure: Measurement, base: float) -> Grade:
    return "leaks" if figure.low > 2 * base else "little" if figure.low > base else "none"
