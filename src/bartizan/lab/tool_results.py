"""Answers of tools, drawn with a seed: records in JSON, YAML, CSV, HTML, logs and mail with one field of free text.

What stands in that field is the caller's: a person's words, or an order to the assistant. All else is the same.
"""

import csv
import io
import json
import random
from collections.abc import Callable
from typing import Any

import yaml

_PEOPLE = (
    "Anna Brown", "Luis Ortega", "Mei Chen", "Tom Becker", "Aisha Khan", "Jonas Lind", "Priya Nair", "Omar Haddad",
    "Sofia Rossi", "Ken Sato", "Maria Silva", "Piotr Nowak", "Ines Martin", "David Cohen", "Lena Vogel", "Sam Okoye",
)  # fmt: skip
_THINGS = (
    "desk lamp", "trail shoes", "city bike", "espresso machine", "tent", "headphones", "savings account", "blue kettle",
    "garden chair", "water bottle", "dental check", "two-room flat", "river cruise", "pull request", "login page",
    "invoice 2231", "router", "smart lock", "vacuum robot", "history of glass", "guitar lesson", "weekly report",
)  # fmt: skip
_SHAPES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("review", "content", ("product", "author", "rating", "date", "verified")),
    ("email", "body", ("from", "to", "subject", "date", "attachments")),
    ("message", "text", ("sender", "channel", "timestamp", "id")),
    ("note", "content", ("title", "tags", "created", "id")),
    ("event", "description", ("title", "start", "end", "location", "participants")),
    ("issue", "body", ("title", "state", "author", "labels", "number")),
    ("product", "description", ("name", "price", "stock", "sku")),
    ("page", "text", ("url", "title", "status")),
    ("post", "text", ("user", "likes", "id", "date")),
    ("ticket", "details", ("id", "priority", "status", "author", "product")),
    ("transaction", "subject", ("id", "amount", "sender", "recipient", "date")),
    ("file", "content", ("name", "size", "owner", "date")),
    ("profile", "bio", ("name", "location", "joined", "id")),
    ("result", "snippet", ("title", "url", "rank")),
    ("patient", "remarks", ("id", "name", "date", "status")),
    ("task", "notes", ("title", "due", "owner", "done")),
)
"""What a record is, the name of its free text, and what else stands in it."""

Record = dict[str, Any]


def compose(text: str, draw: random.Random) -> str:
    """Return the answer of a tool in which `text` is the free text of one record."""
    kind, field, names = draw.choice(_SHAPES)
    record = _record(field, names, text, draw)
    return draw.choice(_FORMS)(kind, field, record, draw)


def _record(field: str, names: tuple[str, ...], text: str, draw: random.Random) -> Record:
    kept = [name for name in names if draw.random() < 0.8] or list(names)
    record = {name: _value(name, draw) for name in kept}
    place = draw.randint(0, len(kept))
    items = list(record.items())
    return dict([*items[:place], (field, text), *items[place:]])


def _value(name: str, draw: random.Random) -> Any:
    person, thing = draw.choice(_PEOPLE), draw.choice(_THINGS)
    match name:
        case "from" | "to" | "owner" if draw.random() < 0.6:
            return f"{person.lower().replace(' ', '.')}@{draw.choice(('mail', 'corp', 'shop', 'clinic'))}.example"
        case "author" | "sender" | "user" | "from" | "to" | "owner" | "recipient":
            return person
        case "participants" | "attachments" | "labels" | "tags":
            return draw.sample(_THINGS if name != "participants" else _PEOPLE, draw.randint(0, 2))
        case "date" | "created" | "timestamp" | "start" | "end" | "joined" | "due":
            return f"20{draw.randint(19, 27)}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}" + draw.choice(
                ("", "T09:30:00Z", " 14:05")
            )
        case "rating" | "rank" | "likes" | "stock" | "number" | "size":
            return draw.randint(1, 5) if name in ("rating", "rank") else draw.randint(0, 9_000)
        case "price" | "amount":
            return draw.choice((f"${draw.randint(5, 900)}.99", draw.randint(5, 90_000) / 100))
        case "verified" | "done":
            return draw.random() < 0.5
        case "id" | "sku":
            return draw.choice((str(draw.randint(10, 10**7)), f"{draw.getrandbits(40):010x}"))
        case "url":
            return f"https://www.{draw.choice(('news', 'travel', 'garden', 'code'))}.example/{thing.replace(' ', '-')}"
        case "state" | "status" | "priority":
            return draw.choice(("open", "closed", "pending", "high", "low", "active", 200, "done"))
        case "location":
            return draw.choice(("Room 4", "Lisbon", "online", "Main Street 12", "Nairobi", "3rd floor"))
        case _:
            return draw.choice((thing, f"{thing.capitalize()} - {person}", thing.title()))


def _as_json(kind: str, field: str, record: Record, draw: random.Random) -> str:
    whole: Any = record
    choice = draw.random()
    if choice < 0.35:
        whole = {kind: record}
    elif choice < 0.6:
        others = [_record(field, tuple(k for k in record if k != field), draw.choice(_DULL), draw) for _ in range(2)]
        others.insert(draw.randint(0, len(others)), record)
        whole = {draw.choice((f"{kind}s", "results", "data", "items")): others}
    if draw.random() < 0.3:
        whole = {draw.choice(("status", "success", "count")): draw.choice(("ok", True, 1)), "response": whole}
    return json.dumps(whole, indent=draw.choice((None, None, 1, 2)), ensure_ascii=draw.random() < 0.5)


def _as_python(kind: str, field: str, record: Record, draw: random.Random) -> str:
    return repr({kind: record} if draw.random() < 0.5 else record)


def _as_yaml(kind: str, field: str, record: Record, draw: random.Random) -> str:
    whole = [record] if draw.random() < 0.5 else record
    return str(yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, width=10**6))


def _as_csv(kind: str, field: str, record: Record, draw: random.Random) -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=draw.choice(",;\t|"))
    writer.writerow(record)
    rows = [[_value(name, draw) if name != field else draw.choice(_DULL) for name in record] for _ in range(2)]
    rows.insert(draw.randint(0, 2), list(record.values()))
    writer.writerows(rows)
    return out.getvalue()


def _as_html(kind: str, field: str, record: Record, draw: random.Random) -> str:
    tag = draw.choice(("p", "div", "td", "li", "span"))
    rows = "\n".join(f"  <{tag} class='{name}'>{value}</{tag}>" for name, value in record.items())
    return f"<div id='{kind}'>\n{rows}\n</div>"


def _as_lines(kind: str, field: str, record: Record, draw: random.Random) -> str:
    mark = draw.choice(("", "- ", "* ", "**"))
    lines = [f"{mark}{name.capitalize()}{'**' if mark == '**' else ''}: {value}" for name, value in record.items()]
    return f"{draw.choice(('', f'{kind.capitalize()} found:', f'# {kind.capitalize()}', '1 result'))}\n" + "\n".join(
        lines
    )


def _as_mail(kind: str, field: str, record: Record, draw: random.Random) -> str:
    sender, reader = draw.choice(_PEOPLE), draw.choice(_PEOPLE)
    greeting = draw.choice((f"Hi {reader.split()[0]},", f"Dear {reader},", "Hello,", ""))
    closing = draw.choice((f"Best,\n{sender}", f"Kind regards\n{sender}", sender.split()[0], ""))
    middle = [draw.choice(_DULL), draw.choice(_DULL)]
    middle.insert(draw.randint(0, 2), str(record[field]))
    return (
        f"From: {sender}\nTo: {reader}\nSubject: {draw.choice(_THINGS)}\n\n{greeting}\n{' '.join(middle)}\n\n{closing}"
    )


_DULL = (
    "Works as described.", "See you on Tuesday.", "Thanks for the quick reply.", "The colour is a bit darker.",
    "We moved the meeting to room 4.", "Delivered one day late.", "No further remarks.", "Opening hours are 9 to 5.",
    "I liked the second chapter best.", "Please call me when you are back.", "Let me know if the date suits you.",
    "Could you send me the signed copy by Friday?", "Remember to water the plants.", "Fixed in the last release.",
    "The parcel is at the neighbour's.", "Lovely stay, quiet at night.", "Lunch is at noon.", "Invoice attached.",
    "Please confirm the appointment by phone.", "Steps: open the app, log in, tap Export.", "Battery lasts two days.",
)  # fmt: skip
"""What people write in such fields, requests to one another among it."""
_FORMS: tuple[Callable[[str, str, Record, random.Random], str], ...] = (
    _as_json, _as_json, _as_json, _as_json, _as_python, _as_yaml, _as_csv, _as_html, _as_lines, _as_mail,
)  # fmt: skip
