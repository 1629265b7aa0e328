"""The rows that train the text classifier: drawn wordings, labelled sources, carriers with an order and without.

Everything that could stand in for the label is given to both: wrappers, contexts, languages and carriers come clean
and poisoned alike. A row carries two answers, each 1, 0 or unasked: is this an attack on the assistant, and does
this document hold an order that does not belong in it. All draws follow the seed.
"""

import json
import random
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bartizan.lab.disguises import disguised
from bartizan.lab.examples import PERMISSIVE, UNASKED, Example, labelled
from bartizan.lab.phrases import wordings
from bartizan.lab.planted_orders import Carriers, bipia, planted
from bartizan.lab.takeovers import takeovers
from bartizan.lab.task_switches import Parts, switches

_GLUE = (" ", ". ", "\n", "\n\n", "\n---\n", " - ", "\n###\n", "; ", "\n\n\n", ' "', "\n> ")
_WRAPPERS = (
    ("", ""),
    ("", ""),
    ("<text>", "</text>"),
    ("User: ", ""),
    ("Question: ", "\nAnswer:"),
    ('"', '"'),
    ("### Instruction:\n", "\n\n### Response:"),
    ("[INST] ", " [/INST]"),
    ('{"text": "', '"}'),
    ("Please help me with this: ", ""),
    ("Translate to French: ", ""),
    ("<INFORMATION>\n", "\n</INFORMATION>"),
    ("IMPORTANT: ", "!!!"),
    ("Summarise this:\n", ""),
    ("```\n", "\n```"),
    ("# ", "\n"),
)


def drawn(count: int, seed: int) -> Iterator[Example]:
    """Yield about `count` attacks and as many innocent texts from our own wordings, in all languages."""
    draw = random.Random(seed)
    book = wordings()
    for sign, label in (("+", 1), ("-", 0)):
        names = [name for name in book.names(sign) if name not in ("+orders", "+plain", "+format", "+code", "+forged")]
        english = [name for name in names if "." not in name]
        foreign = [name for name in names if "." in name]
        for number in range(count):
            name = draw.choice(english if number % 2 else foreign)
            language = name.partition(".")[2] or "en"
            planted = 0 if name in _OF_TOOLS else UNASKED
            yield Example(book.write(name, draw), label, planted, f"own: {name[1:].partition('.')[0]}, {language}")


_OF_TOOLS = ("-protocol", "-tool_description", "-tool_short", "-how_to")
"""Innocent sections that stand in documents and answers of tools, where an order would be out of place."""


def capped(rows: Iterable[Example], most: Callable[[Example], int], seed: int) -> list[Example]:
    """Return at most `most(example)` rows of each source and label, drawn with the seed."""
    cells: dict[tuple[str, int], list[Example]] = defaultdict(list)
    for row in rows:
        cells[row.source, row.attack].append(row)
    draw = random.Random(seed)
    kept: list[Example] = []
    for cell in sorted(cells):
        members = cells[cell]
        kept += draw.sample(members, min(len(members), most(members[0])))
    return kept


def framed(rows: Sequence[Example], benign: Sequence[str], seed: int) -> Iterator[Example]:
    """Yield each row as it is, or wrapped, or within innocent text, or disguised: attacks and innocent rows alike."""
    draw = random.Random(seed)
    for row in rows:
        text, planted = row.text, row.planted
        kind = draw.random()
        if kind < 0.56:  # what is put around a document may ask for something
            planted = UNASKED
        if kind < 0.14:
            before, after = draw.choice(_WRAPPERS)
            text = before + text + after
        elif kind < 0.56:
            glue = draw.choice(_GLUE)
            around = draw.choice(benign)[: draw.choice((60, 150, 300, 450))]
            text = around + glue + text if draw.random() < 0.75 else text + glue + around
            if draw.random() < 0.5:
                text += draw.choice(_GLUE) + draw.choice(benign)[: draw.choice((80, 250))]
        if draw.random() < 0.14:
            text = disguised(text, draw)
        yield Example(text, row.attack, planted, row.source, row.licence)


def pages(benign: Sequence[str], count: int, seed: int) -> Iterator[Example]:
    """Yield `count` clean pages: several innocent texts one after the other."""
    draw = random.Random(seed)
    for _ in range(count):
        parts = [draw.choice(benign)[: draw.choice((60, 150, 600))] for _ in range(draw.randint(2, 8))]
        yield Example(draw.choice(("\n", "\n\n", " ", "\n---\n")).join(parts), 0, UNASKED, "own: page")


def operators(count: int, seed: int) -> Iterator[Example]:
    """Yield `count` prompts of operators, one to three sets of rules in each: no attack, whatever they say."""
    draw, book = random.Random(seed), wordings()
    for _ in range(count):
        rules = [book.write(draw.choice(_RULES), draw) for _ in range(draw.randint(1, 3))]
        yield Example(draw.choice(("\n", "\n\n", " ", "\n---\n")).join(rules), 0, UNASKED, "own: operators, en")


def tools(count: int, seed: int) -> Iterator[Example]:
    """Yield `count` short descriptions of tools, alone or a few in a row: they order by nature, and nobody is meant."""
    draw, book = random.Random(seed), wordings()
    for _ in range(count):
        lines = [book.write("-tool_short", draw) for _ in range(draw.choice((1, 1, 1, 2, 4)))]
        yield Example("\n".join(lines), 0, 0, "own: tool_short, en")


_RULES = ("-guarded", "-gatekeeper", "-gatekeeper", "-operator", "-system")
"""Innocent sections that an operator writes."""


@dataclass(frozen=True)
class Corpus:
    """What trains, and the innocent rows kept apart to choose thresholds on."""

    train: Sequence[Example]
    calibrate: Sequence[Example]
    spare: Sequence[Example] = ()
    """Innocent rows beyond what each source may give: those that look like attacks to the classifier train it again."""
    manuals: Sequence[str] = ()
    """Clean documents for the thresholds of long texts."""


DOCUMENTS = ("gpteacher_out", "bipia_ctx", "code", "owasp", "patt", "tldr", "skills", "catalogue", "docs", "user docs")
"""Sources whose texts are documents, not requests: only there is an order out of place."""
_REQUESTS = frozenset(("gpteacher",))
"""Sources whose first line is a request that stands alone; what comes behind it is handed over with it."""
_ANSWERS = frozenset(("gpteacher_out",))
"""Sources of what an assistant has answered."""
_HANDED_OVER = frozenset(("bipia_ctx", "gpteacher_out", "gsm8k", "docs: django", "owasp"))
"""Sources of texts that somebody might want to have worked on."""
_ORDERING = ("patt", "skills")
"""Documents that tell an assistant what to do, or show how attackers do: whether that is out of place is not asked."""
_DULL = frozenset(("banking77", "clinc", "sgd", "gsm8k", "tldr", "arena_hard", "tau", "patt", "fabric"))
"""Many rows of one kind: a thousand of each say what there is to say."""
STRANGERS = frozenset(("arena_hard", "tau", "sgd", "patt", "fabric", "docs: aiohttp"))
"""Innocent sources that never train: thresholds must hold on texts of a kind that training has not seen."""
HELD_OUT = frozenset(("docs: sqlalchemy", "docs: ipython", "docs: gunicorn"))
"""Innocent sources that neither train nor choose a threshold: long pages are measured on them."""
MANUALS = frozenset(
    ("docs: celery", "docs: scrapy", "docs: sphinx", "docs: twisted", "docs: django-cms", "docs: jupyterhub")
)
"""Innocent sources that never train: they show what thresholds long clean pages need."""
_A_MANUAL = 400
"""Pages of one further manual that train as they are; of its others those that look like attacks to the classifier."""
_KEPT_APART = 0.08
_SPARE = 16_000
"""Of each source at most."""
_DISGUISED = 0.2
"""Share of the spare rows that are disguised: an innocent text stays innocent in any disguise."""


def assembled(folder: Path, scale: float, seed: int, leave_out: Collection[str] = ()) -> Corpus:
    """Return the corpus from the files of `folder`: `*.jsonl.gz` of labelled rows and `bipia_train.json.gz`.

    Only rows under the `PERMISSIVE` licences are used, none of the sources `leave_out`; `scale` shrinks every part.
    """
    parts = _divided(folder, scale, seed, leave_out)
    attacks, kept = parts.attacks, parts.kept
    benign = [row.text for row in kept]
    own = list(drawn(int(scale * 26_000), seed))
    train = list(framed([*attacks, *attacks, *own, *map(_as_document, kept)], benign, seed))
    train += pages(benign, int(scale * 14_000), seed)
    prose = [row.text for row in kept if row.source.startswith(DOCUMENTS)]
    tasks = [tuple(row.text.split("\n", 1)) for row in kept if row.source in _REQUESTS]
    asked = [one[0] for one in tasks if 20 < len(one[0]) < 200]
    handed = Parts(
        tasks=[(one[0], one[1]) for one in tasks if len(one) == 2 and 20 < len(one[0]) < 200 and len(one[1]) < 400],
        requests=[*asked, *_tasktracker(folder, leave_out).get("task", ())],
        answers=[row.text for row in kept if row.source in _ANSWERS],
        prose=[row.text for row in kept if row.source in _HANDED_OVER],
    )
    for name, pairs in (
        ("takeover", takeovers(asked, int(scale * 5_000), seed)),
        ("task switch", switches(handed, int(scale * 20_000), seed)),
    ):
        for pair in pairs:
            train += (
                Example(text, label, UNASKED, f"own: {name}, en") for text, label in zip(pair, (1, 0), strict=True)
            )
    train += operators(int(scale * 8_000), seed)
    train += tools(int(scale * 4_000), seed)
    carriers = _all_carriers(folder, prose, seed, leave_out, asked)
    train += planted(carriers, prose or benign, int(scale * 14_000), seed)
    draw = random.Random(seed)
    spare = (replace(one, text=disguised(one.text, draw)) if draw.random() < _DISGUISED else one for one in parts.spare)
    return Corpus(train, parts.calibrate, list(map(_as_document, spare)), parts.manuals)


def kept_apart(folder: Path, scale: float, seed: int, leave_out: Collection[str] = ()) -> Corpus:
    """Return the corpus of the same arguments without what trains: thresholds need no more."""
    parts = _divided(folder, scale, seed, leave_out)
    return Corpus((), parts.calibrate, (), parts.manuals)


@dataclass(frozen=True)
class _Parts:
    """The rows of the files, each in one part at most."""

    attacks: Sequence[Example]
    kept: Sequence[Example]
    calibrate: Sequence[Example]
    spare: Sequence[Example]
    manuals: Sequence[str]


def _divided(folder: Path, scale: float, seed: int, leave_out: Collection[str]) -> _Parts:
    rows = [row for path in sorted(folder.glob("*.jsonl.gz")) for row in labelled(path) if row.text.strip()]
    rows += [
        Example(text, 1, UNASKED, "tasktracker", "MIT") for text in _tasktracker(folder, leave_out).get("jailbreak", ())
    ]
    unused = HELD_OUT | MANUALS | set(leave_out)
    usable = [row for row in rows if row.licence in PERMISSIVE and row.source not in unused]
    attacks = capped((row for row in usable if row.attack == 1), lambda row: int(scale * _most(row)), seed)
    innocent = capped((row for row in usable if row.attack == 0), lambda row: int(scale * _most(row)), seed)
    draw = random.Random(seed)
    apart = {id(row) for row in innocent if draw.random() < _KEPT_APART or row.source in STRANGERS}
    used = {id(row) for row in innocent}
    rest = (row for row in usable if row.attack == 0 and id(row) not in used and row.source not in STRANGERS)
    return _Parts(
        attacks,
        [row for row in innocent if id(row) not in apart],
        [row for row in innocent if id(row) in apart],
        capped(rest, lambda row: int(scale * (_SPARE // 8 if row.source in _DULL else _SPARE)), seed),
        [row.text for row in rows if row.source in MANUALS],
    )


def _as_document(row: Example) -> Example:
    """Return an innocent row; one that is somebody's document says too that it holds no order."""
    is_document = row.source.startswith(DOCUMENTS) and not row.source.startswith(_ORDERING)
    return replace(row, planted=0) if is_document else row


def _most(row: Example) -> int:
    """Return how many rows of a source and label are used at most."""
    if row.attack:
        return 500 if "HackAPrompt" in row.licence else 1_300
    if row.source.startswith("user docs"):
        return _A_MANUAL
    return 700 if row.source.startswith("catalogue") else 900 if row.source in _DULL else 3_500


def _all_carriers(
    folder: Path, benign: Sequence[str], seed: int, leave_out: Collection[str], asked: Sequence[str]
) -> Carriers:
    """Return BIPIA's carriers, mail twice as often, and innocent texts of a page's length as two more kinds.

    `asked` are requests of users, to be planted.
    """
    long = [text for text in benign if 200 < len(text) < 3_000]
    random.Random(seed).shuffle(long)
    pages_of = {"page": long[:4_000], "other page": long[4_000:8_000]}
    path = folder / "bipia_train.json.gz"
    tasks = {**_tasktracker(folder, leave_out), "request": asked}
    if "bipia" in leave_out or not path.exists():
        return Carriers(pages_of, {"text": [], "code": [], **tasks})
    found = bipia(path)
    return Carriers({**found.documents, "mail": found.documents["email"], **pages_of}, {**found.attacks, **tasks})


def _tasktracker(folder: Path, leave_out: Collection[str]) -> dict[str, list[str]]:
    """Return TaskTracker's training split: sentences that announce an order, tasks in five languages, jailbreaks."""
    path = folder / "tasktracker_train.json"
    if "tasktracker" in leave_out or not path.exists():
        return {}
    data = json.loads(path.read_text(encoding="utf-8"))
    return {
        "lead": data["saved_injections"],
        "task": data["translated_secondary_tasks"],
        "jailbreak": data["jailbreaks_pair_attack"],
    }
