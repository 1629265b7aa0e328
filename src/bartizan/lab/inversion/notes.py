"""Short private texts with invented facts, as people store them for retrieval; what is planted can be judged.

Four kinds (clinic, payroll, support, bank), each from its own wordings; names come from two lists that an attacker may
own, numbers are drawn. Nobody in them exists.
"""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bartizan.core.errors import BadArtifact

_NUMBER = re.compile(r"\b\d{3,}\b")


@dataclass(frozen=True)
class Note:
    """A text, the values in it by kind, what it says about a person beyond words, and a question that it answers."""

    text: str
    values: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    question: str = ""


def _words(line: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in line.split("|"))


FIRST = _words(
    "Maria|James|Aisha|Peter|Yuki|Elena|Omar|Ingrid|Carlos|Nadia|Thomas|Leila|Victor|Hannah|Rajesh|Sofia|Daniel|Mei|"
    "Patrick|Amara|Lucas|Fatima|George|Olga|Samuel|Chloe|Ivan|Grace|Hassan|Julia|Martin|Priya|Oscar|Diana|Kenji|Laura|"
    "Stefan|Zara|Felix|Monica|Andre|Ruth|Tariq|Emma|Boris|Alice|Diego|Freya|Simon|Anita"
)
LAST = _words(
    "Lopez|Okafor|Tanaka|Novak|Fischer|Haddad|Larsen|Moreau|Kowalski|Singh|Rossi|Petrov|Murphy|Chen|Andersson|Silva|"
    "Ibrahim|Weber|Nakamura|Jansen|Costa|Popescu|Bauer|Gupta|Dubois|Hughes|Farah|Lindgren|Romano|Sato|Keller|Mendez|"
    "Walsh|Yilmaz|Horvath|Bianchi|Nilsen|Osei|Vargas|Klein|Abbas|Marsh|Duarte|Zhang|Winter|Castillo|Frank|Ozturk|Reid|Vidal"
)
CITY = _words("Lisbon|Oslo|Denver|Vienna|Osaka|Lyon|Cairo|Dublin|Prague|Boston|Turin|Ghent|Leeds|Malmo|Porto|Zurich")
ILL = {
    "heart": _words("angina|arrhythmia|high blood pressure|heart failure"),
    "mind": _words("depression|anxiety|bipolar disorder|insomnia"),
    "metabolism": _words("diabetes|gout|obesity|thyroid disease"),
    "infection": _words("hepatitis|tuberculosis|pneumonia|shingles"),
}
DRUG = _words("metformin|sertraline|warfarin|lithium|ibuprofen|insulin|bisoprolol|amoxicillin|prednisone|atorvastatin")
JOB = _words("accountant|nurse|welder|translator|driver|pharmacist|architect|clerk|electrician|teacher|analyst|chef")
GOOD = _words("router|laptop|washing machine|headphones|camera|bicycle|printer|coffee maker|tablet|drill")
FAULT = _words("does not start|arrived broken|smells of smoke|lost its warranty card|keeps restarting|leaks water")
PLAN = _words("wedding|divorce|new kitchen|tax debt|car repair|funeral|house purchase|surgery|tuition|gambling losses")
DAY = _words("Monday|Tuesday|Wednesday|Thursday|Friday|Saturday")

WORDINGS: Mapping[str, Sequence[str]] = {
    "clinic": (
        "{name} from {city} was diagnosed with {ill} and takes {drug} since {day}.",
        "Patient {name}, record {id}, reports {ill}; we prescribed {drug}.",
        "On {day} {name} came back because of {ill}. The {drug} did not help.",
        "Please do not tell the family of {name} about the {ill}. File {id}.",
        "{name} refuses {drug} although the {ill} got worse in {city}.",
        "Lab results of {name} ({id}) confirm {ill}, next visit on {day}.",
    ),
    "payroll": (
        "{name} works as a {job} in {city} and earns {amount} euros a month.",
        "From {day} on the salary of {name}, staff number {id}, rises to {amount} euros.",
        "{name} was dismissed as {job} and gets a severance of {amount} euros.",
        "The bonus of {name} for this year is {amount} euros; she is the best {job} in {city}.",
        "Warning letter to {name}, {job}, staff number {id}, because of absence on {day}.",
        "{name} asked for parental leave and an advance of {amount} euros.",
    ),
    "support": (
        "Customer {name} in {city} complains that the {good} {fault}.",
        "Ticket {id}: {name} wants {amount} euros back for the {good}.",
        "{name} called on {day}, the {good} {fault}, order {id}.",
        "We promised {name} a new {good} by {day} at no charge.",
        "The {good} of {name} was sent to the wrong address in {city}.",
        "{name} threatens to sue over a {good} for {amount} euros, order {id}.",
    ),
    "bank": (
        "{name} asked for a loan of {amount} euros for a {plan}.",
        "Account {id} of {name} is overdrawn by {amount} euros because of a {plan}.",
        "{name} from {city} moved {amount} euros abroad on {day} to pay for a {plan}.",
        "We refused the credit card of {name}, {job}, account {id}.",
        "On {day} {name} changed the address of account {id} to {city}.",
        "{name} inherited {amount} euros and wants advice before the {plan}.",
    ),
}
KINDS = tuple(WORDINGS)


def notes(count: int, seed: int, kinds: Sequence[str] = KINDS) -> list[Note]:
    """Return `count` notes of these kinds, each as likely. Raises KeyError for a kind that there is not."""
    draw = random.Random(seed)
    return [_note(draw.choice(kinds), draw) for _ in range(count)]


def _note(kind: str, draw: random.Random) -> Note:
    wording = draw.choice(WORDINGS[kind])
    group = draw.choice(tuple(ILL))
    said = {
        "name": f"{draw.choice(FIRST)} {draw.choice(LAST)}",
        "amount": str(draw.randrange(200, 9900, 10)),
        "id": str(draw.randrange(10_000, 100_000)),
        "city": draw.choice(CITY),
        "ill": draw.choice(ILL[group]),
        "drug": draw.choice(DRUG),
        "job": draw.choice(JOB),
        "good": draw.choice(GOOD),
        "fault": draw.choice(FAULT),
        "plan": draw.choice(PLAN),
        "day": draw.choice(DAY),
    }
    values = {what: said[what] for what in ("name", "amount", "id", "city", "ill") if f"{{{what}}}" in wording}
    attributes = {"kind": kind} | ({"illness": group} if "ill" in values else {})
    return Note(wording.format(**said), values, attributes, f"What do we know about {said['name']}?")


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    text: str
    values: dict[str, str] = {}
    attributes: dict[str, str] = {}
    question: str = ""


def load(path: Path) -> list[Note]:
    """Return the texts of a file: one a line, or JSON lines with `text` and, where known, what `Note` holds beside it.

    Where no values are named, a number of three digits and more is one. Raises BadArtifact that names the line.
    """
    expected = 'Expected {"text": "…", "values": {"name": "…"}, "attributes": {}, "question": ""} on each line.'
    found = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise BadArtifact(f"{path} cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = msgspec.json.decode(line, type=_Line) if path.suffix == ".jsonl" else _Line(line.strip())
        except msgspec.MsgspecError as error:
            raise BadArtifact(f"{path.name} line {number}: {error}", hint=expected) from error
        number_in_it = _NUMBER.search(row.text)
        values = row.values or ({"number": number_in_it[0]} if number_in_it else {})
        found.append(Note(row.text, values, row.attributes, row.question))
    if not found:
        raise BadArtifact(
            f"{path.name} holds no texts", hint="Expected one text a line, or JSON lines in a .jsonl file."
        )
    return found
