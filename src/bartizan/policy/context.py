"""The context of a call, rebuilt from the messages alone: who wrote what, what was asked, what was read and pointed at.

Every text gets the trust of its author, every result the tool it came from. Text of an earlier result that turns up
again in a message of a user or of the system is recognised by its runs of words and keeps its label. `Contexts` keeps
what was built, so that a conversation that grows costs only what is new.
"""

import json
from collections import OrderedDict
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bartizan.core.messages import Message, Text, ToolCall, ToolResult, ToolSpec, Trust
from bartizan.policy.anchors import Anchors, Source
from bartizan.policy.as_called import as_called
from bartizan.policy.cedar import Rules
from bartizan.policy.endorsements import Endorsement
from bartizan.policy.intent import Intent, intent_of
from bartizan.policy.layers import Layers
from bartizan.policy.manifest import Manifest, Tool
from bartizan.policy.pointing import point
from bartizan.policy.records import structure_of
from bartizan.policy.values import plain, values

_SHORT = 60
RUN = 8
"""Words in a row that make a text recognisable."""
_OPAQUE = 40
"""A word of this many letters is recognised by itself."""
DENIED = "Denied by policy:"
"""How the result of a call begins that never ran."""


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a decision may use. Built by `context_of`; a longer conversation by `followed_by`."""

    tools: Mapping[str, ToolSpec] = field(default_factory=dict)
    manifest: Manifest = field(default_factory=Manifest)
    trusted: tuple[Text, ...] = ()
    intent: Intent = field(default_factory=Intent)
    anchors: Anchors = field(default_factory=lambda: Anchors(Intent()))
    sources: tuple[Source, ...] = ()
    untrusted: tuple[Text, ...] = ()
    runs: Layers[int] = field(default_factory=Layers)
    """Hash of each run of words in what anybody could have written, and the number of its text."""
    forms: Layers[str] = field(default_factory=Layers)
    """Canonical form of each address, link and account in those texts, and the number of the first that holds it."""
    calls: Mapping[str, ToolCall] = field(default_factory=dict)
    ran: Mapping[str, int] = field(default_factory=dict)
    """How often each tool has run."""
    endorsed: tuple[Endorsement, ...] = ()
    rules: Rules | None = None
    """The operator's rules, above any licence of the user."""
    principal: str = ""
    """Who asks, as the operator's rules name them."""

    def tool(self, name: str) -> Tool:
        """Return what is known about a tool."""
        return self.manifest.tool(self.tools.get(name) or ToolSpec(name))

    def called(self, name: str, arguments: Mapping[str, Any]) -> Tool:
        """Return what is known about a tool, as a call with these arguments uses it."""
        return as_called(self.tool(name), name, arguments, described=name in self.manifest.tools)

    def after(self, call: ToolCall) -> "Context":
        """Return the context once `call` was let through: a second call beside it is not the first."""
        return replace(self, ran={**self.ran, call.tool: self.ran.get(call.tool, 0) + 1})

    def offering(self, tools: Mapping[str, ToolSpec]) -> "Context":
        """Return the context in which these tools are offered."""
        return replace(self, tools=tools)

    def followed_by(self, messages: Sequence[Message]) -> "Context":
        """Return the context after more messages."""
        made = _Growing(self)
        for message in messages:
            made.take(message)
        return made.context()


def context_of(
    messages: Sequence[Message],
    tools: Sequence[ToolSpec] = (),
    manifest: Manifest | None = None,
    endorsed: Sequence[Endorsement] = (),
) -> Context:
    """Return the context that `messages` make."""
    empty = Context({tool.name: tool for tool in tools}, manifest or Manifest(), endorsed=tuple(endorsed))
    return empty.followed_by(messages)


class Contexts:
    """Keeps the contexts of recent conversations by their messages. Not for several threads at once."""

    def __init__(self, manifest: Manifest | None = None, most: int = 256) -> None:
        """Keep the `most` recent ones."""
        self._manifest = manifest or Manifest()
        self._most = most
        self._latest: tuple[tuple[Message, ...], tuple[ToolSpec, ...], Context] | None = None
        self._kept: OrderedDict[int, tuple[tuple[Message, ...], tuple[ToolSpec, ...], Context]] = OrderedDict()

    def of(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Context:
        """Return the context of `messages`: from the longest conversation kept that they continue."""
        given, offered = tuple(messages), tuple(tools)
        if self._latest is not None and self._latest[0] is given and self._latest[1] is offered:
            return self._latest[2]  # the next call of the same answer
        keys = list(_keys(given, offered))
        for length in range(len(given), 0, -1):
            kept = self._kept.get(keys[length - 1])
            if kept is not None and kept[0] == given[:length] and kept[1] == offered:
                self._kept.move_to_end(keys[length - 1])
                context = kept[2] if length == len(given) else kept[2].followed_by(given[length:])
                break
        else:
            context = context_of(given, offered, self._manifest)
        if given:
            self._kept[keys[-1]] = (given, offered, context)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        self._latest = (given, offered, context)
        return context


def _keys(messages: tuple[Message, ...], tools: tuple[ToolSpec, ...]) -> Iterator[int]:
    key = hash(tools)
    for message in messages:
        key = hash((key, message))
        yield key


class _Growing:
    """A context while messages are added to it."""

    def __init__(self, start: Context) -> None:
        self._start = start
        self._trusted = list(start.trusted)
        self._sources = list(start.sources)
        self._untrusted = list(start.untrusted)
        self._runs = start.runs
        self._forms = start.forms
        self._calls = dict(start.calls)
        self._ran = dict(start.ran)

    def take(self, message: Message) -> None:
        """Label every part of a message by who could have written it."""
        for part in message.parts:
            match part:
                case Text():
                    self._text(part)
                case ToolCall():
                    self._calls[part.id] = part  # what a model said before is no authority: it may have been made to
                case ToolResult():
                    self._result(part)

    def context(self) -> Context:
        """Return the context; what is pointed at is found anew when the request itself has grown."""
        start, trusted = self._start, tuple(self._trusted)
        if trusted == start.trusted:
            intent, anchors, fresh = start.intent, start.anchors, self._sources[len(start.sources) :]
        else:
            intent = intent_of(trusted)
            anchors, fresh = Anchors(intent), self._sources
        for source in fresh:
            anchors = point(anchors, source)
        return replace(
            start,
            trusted=trusted,
            intent=intent,
            anchors=anchors,
            sources=tuple(self._sources),
            untrusted=tuple(self._untrusted),
            runs=self._runs,
            forms=self._forms,
            calls=self._calls,
            ran=self._ran,
        )

    def _text(self, text: Text) -> None:
        if text.trust < Trust.TOOL:
            self._stranger(text, [text.content])
        elif text.trust >= Trust.USER:
            own, foreign = parted(text.content, self._runs) if self._runs else (text.content, "")
            self._trusted.append(replace(text, content=own) if foreign else text)
            if foreign:
                self._stranger(replace(text, content=foreign, trust=Trust.WEB), [foreign])

    def _result(self, result: ToolResult) -> None:
        text = result.text
        if not text.content.strip():
            return
        call = self._calls.get(result.call_id)
        name = call.tool if call else ""
        if text.content.startswith(DENIED):  # it counts as read all the same: a page may begin so too
            self._stranger(text, [text.content])
            return
        self._ran[name] = self._ran.get(name, 0) + 1
        tool = self._start.tool(name)
        if tool.result_trusted and name in self._start.manifest.tools:
            self._trusted.append(replace(text, trust=Trust.DEVELOPER))
            return
        labelled = replace(text, origin=f"{_named(name, call)} {text.origin}".strip())
        structure = structure_of(text.content) if tool.result is not None else None
        self._sources.append(Source(text, name, tool, _object(call.arguments) if call else {}, structure))
        found = structure.records if structure is not None else ()
        texts = [value for record in found for values in record.fields.values() for value in values]
        self._stranger(labelled, [*texts, text.content])  # as it stands too: an application may paste it so

    def _stranger(self, text: Text, parts: Sequence[str]) -> None:
        number = len(self._untrusted)
        self._untrusted.append(text)
        self._forms = self._forms.and_(dict.fromkeys((one.canonical for one in values(text.content)), number))
        self._runs = self._runs.and_(dict.fromkeys((run for part in parts for run in runs_of(part)), number))


def parted(content: str, runs: Container[int]) -> tuple[str, str]:
    """Return what of a text is its author's own, and what holds a run of words out of `runs`; words between blanks."""
    words = content.split()
    forms = [plain(word) for word in words]
    hashes = _hashes(forms)
    foreign = [_opaque(form) and hash((form,)) in runs for form in forms]
    for start, run in enumerate(hashes):
        if run in runs:
            foreign[start : start + RUN] = [True] * RUN
    if not any(foreign):
        return content, ""
    own = " ".join(word for word, other in zip(words, foreign, strict=True) if not other)
    return own, " ".join(word for word, other in zip(words, foreign, strict=True) if other)


def _named(tool: str, call: ToolCall | None) -> str:
    """Return a call as people name it: `read_file(bill.txt)` when it has one short argument, else the tool."""
    given = [value for value in _object(call.arguments).values() if isinstance(value, str)] if call else []
    plain_one = len(given) == 1 and 0 < len(given[0]) <= _SHORT and given[0].isprintable()
    return f"{tool}({given[0]})" if plain_one else tool or "tool"


def runs_of(text: str) -> list[int]:
    """Return the hash of every run of words in a text."""
    words = plain(text).split()
    return _hashes(words) + [hash((word,)) for word in words if _opaque(word)]


def _opaque(word: str) -> bool:
    """Return whether a word is no word that a person writes, nor a link that one may have copied."""
    return len(word) >= _OPAQUE and "://" not in word


def _hashes(words: list[str]) -> list[int]:
    return list(map(hash, zip(*(words[start:] for start in range(RUN)), strict=False)))  # the last few begin no run


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
