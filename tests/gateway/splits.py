"""One random trial: an answer with denied and allowed calls, cut into random pieces, through the hold-back.

The policy is the real one, in a conversation in which somebody else's text was read. Every denied call carries a mark
of random capitals in each of its arguments; the trial looks for any five letters of a mark in what left, as bytes and
as the texts that a client puts together.
"""

import json
import string
from typing import NamedTuple

from tests.gateway.called import DIALECTS, chat

from bartizan.core.sections.policy import Policy
from bartizan.gateway.sse import EventSplitter
from bartizan.gateway.stream import Holdback
from bartizan.gateway.toolcalls import ToolCalls
from bartizan.gateway.wires import WIRES
from bartizan.gateway.wires.base import strings

WIRE_OF = {path: wire for wire in WIRES for path in wire.paths}
RULES = ToolCalls(Policy(tool_calls="enforce"))
LETTERS = 5
DENIED = ("send_email", "delete_file", "pay_invoice", "run_command")
ALLOWED = ("read_mail", "search_mail", "get_weather")


class Trial(NamedTuple):
    """How many calls were denied and allowed, letters that left, and whether all that may arrive did."""

    dialect: str
    denied: int
    allowed: int
    leaked: int
    whole: bool
    pieces: int


def marked(draw):
    """A mark, and the arguments of a denied call that carries it, escaped or not."""
    mark = "".join(draw.choices(string.ascii_uppercase, k=24))
    values = {"to": f"{mark}@evil.example", "body": {"deep": [mark, draw.randrange(9)]}, mark: mark}
    text = json.dumps(values)
    if draw.random() < 0.3:
        text = text.replace(mark[:8], "".join(f"\\u{ord(letter):04x}" for letter in mark[:8]))
    return mark, text


def trial(draw):
    """Run one."""
    dialect, marks, calls = draw.choice(DIALECTS), [], []
    for _ in range(draw.randint(1, 5)):
        if draw.random() < 0.5 or (not marks and len(calls) > 2):
            mark, arguments = marked(draw)
            marks.append(mark)
            calls.append((draw.choice(DENIED), arguments))
        else:
            calls.append((draw.choice(ALLOWED), json.dumps({"query": f"w{draw.randrange(10**6)} é"})))
    more = {"alternate": draw.random() < 0.5} if dialect is chat else {}
    made = dialect(calls, content=draw.choice(["", "Let me see."]), **more)
    wire = WIRE_OF[made.path]
    asked = wire.parse(json.dumps({**made.request, "stream": True}).encode())
    holdback = Holdback(wire.reader(asked), (), RULES.of(asked.prompt, [].append))
    out, rest, pieces, largest = b"", made.stream, 0, draw.choice([1, 3, 17, 120, 2000])
    while rest:
        size = draw.randint(1, largest)
        out += holdback.feed(rest[:size])
        rest, pieces = rest[size:], pieces + 1
    out += holdback.end()
    kept = [call for call in calls if call[0] in ALLOWED]
    arrived = arguments_of(out, wire.reader(asked))
    whole = not holdback.blocked and arrived == [json.loads(arguments) for _, arguments in kept]
    return Trial(wire.name, len(marks), len(kept), leaked(out, marks), whole, pieces)


def leaked(out, marks):
    """How many runs of LETTERS letters of the marks stand in what left, as bytes or once JSON is read."""
    documents = [event.data for event in EventSplitter().feed(out) if event.data.startswith(b"{")]
    read = "".join(piece.text for data in documents for piece in strings(json.loads(data)))
    shown = out.decode() + read
    runs = [mark[at : at + LETTERS] for mark in marks for at in range(len(mark) - LETTERS + 1)]
    return sum(run in shown for run in runs)


def arguments_of(out, reader):
    """The arguments of the calls that a client has in the end."""
    texts = {}
    for event in EventSplitter().feed(out):
        read = reader.event(event)
        for piece in read.pieces:
            if piece.kind == "arguments":
                texts[piece.channel] = texts.get(piece.channel, "") + piece.text
    return [json.loads(texts[channel]) for channel in sorted(texts)]
