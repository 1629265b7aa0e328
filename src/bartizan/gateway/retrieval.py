"""`POST /retrieval`: an application's chunks go in, what may be pasted into a prompt comes out.

Whoever may use the gateway may ask. A record says how many chunks came, which were withheld and why, with the digests
of their texts; never the texts.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, get_args

import msgspec
from msgspec import Struct

from bartizan.core.errors import BadEvidence, BadRequest, Refused
from bartizan.core.messages import Prompt
from bartizan.core.sections.retrieval import Mark
from bartizan.core.sections.retrieval import Retrieval as Section
from bartizan.core.verdicts import Allow, verdict_name
from bartizan.gateway.call import Answer, Call
from bartizan.gateway.chunks import Chunk, Known, Prepared, laid_out, prompt_of
from bartizan.gateway.gate import Gate
from bartizan.gateway.screening import GuardedScreen, Judged
from bartizan.gateway.wires.base import dump, new_id
from bartizan.gateway.wires.openai_answers import openai_error

PATH = "/retrieval"
_MOST_NOTED = 50
_MARKS = get_args(Mark)
_FORM = '{"chunks": [{"text": "…", "source": "…"}]}'


class Asked(Struct, frozen=True):
    """What an application sends."""

    chunks: list[Chunk]
    mark: Mark | None = None


class Retrieval:
    """Prepares chunks, and knows their text again in later prompts of the same caller."""

    def __init__(self, section: Section, screen: GuardedScreen) -> None:
        """Search with `screen`, whose mode is the section's."""
        self._section, self._screen = section, screen
        self._known = Known(section.remembered_runs)

    def labelled(self, prompt: Prompt, caller: str) -> Prompt:
        """Return the prompt in which prepared text has the trust of the web."""
        return self._known.labelled(prompt, caller)

    async def answer(self, gate: Gate, call: Call) -> Answer:
        """Answer one request."""
        try:
            caller = gate.auth.identify(call.headers)
            if caller.admin_only:
                raise Refused("admin keys may not prepare text")
            asked = self._read(call.body)
            judged = await asyncio.gather(*(self._screen.judge(prompt_of(chunk)) for chunk in asked.chunks))
            found = [(one.enforced, one.findings) for one in judged]
            prepared = laid_out(asked.chunks, found, asked.mark or self._section.mark)
            await gate.evidence.record("retrieval", _record(prepared, judged, caller.id))
        except Refused as error:
            return _error(401, "invalid_api_key", str(error))
        except BadRequest as error:
            return _error(400, "invalid_request", str(error))
        except BadEvidence:
            return _error(503, "evidence_unavailable", "No answer without a record: the ledger failed.")
        for chunk in asked.chunks:
            self._known.learn(caller.id, chunk.text)
        return Answer(200, [(b"content-type", b"application/json")], dump(_shown(prepared)))

    def _read(self, body: bytes) -> Asked:
        asked = _asked(body)
        if not 0 < len(asked.chunks) <= self._section.most_chunks:
            raise BadRequest(f"chunks: {len(asked.chunks)}: expected 1 to {self._section.most_chunks}")
        return asked


def _asked(body: bytes) -> Asked:
    """Return the request in `body`. Raises BadRequest that names the place, what stands there and what was expected."""
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise BadRequest(f"the body is no JSON: expected {_FORM}") from None
    if not isinstance(said, dict) or not isinstance(said.get("chunks"), list):
        got = f"an object with {', '.join(map(repr, said)) or 'nothing'}" if isinstance(said, dict) else _kind(said)
        raise BadRequest(f"the body is {got[:200]}: expected {_FORM}")
    for name in said.keys() - {"chunks", "mark"}:
        raise BadRequest(f"{name[:80]!r} is no field of the request: expected 'chunks' and, if you like, 'mark'")
    if (mark := said.get("mark")) not in (None, *_MARKS):
        raise BadRequest(f"mark: {str(mark)[:80]!r}: expected {', '.join(_MARKS)}")
    return Asked([_chunk(number, one) for number, one in enumerate(said["chunks"])], mark)


def _chunk(number: int, said: Any) -> Chunk:
    if not isinstance(said, dict):
        raise BadRequest(
            f"chunks[{number}] is {_kind(said)}: expected an object with 'text' and, if you like, 'source'"
        )
    text, source = said.get("text"), said.get("source", "")
    if not isinstance(text, str):
        got = _kind(text) if "text" in said else "missing"
        raise BadRequest(f"chunks[{number}].text is {got}: expected a string")
    if not isinstance(source, str):
        raise BadRequest(f"chunks[{number}].source is {_kind(source)}: expected a string, or leave it out")
    return Chunk(text, source)


def _kind(said: Any) -> str:
    match said:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "a list"
        case _:
            return "an object"


def _shown(prepared: Prepared) -> dict[str, Any]:
    return {
        "id": prepared.id,
        "instructions": prepared.instructions,
        "context": prepared.context,
        "chunks": [
            {
                "source": one.source,
                "verdict": "pass" if isinstance(one.verdict, Allow) else "withheld",
                "label": {"trust": one.trust.name.lower(), "source": one.source, "sha256": one.sha256},
                "findings": [{"rule": found.rule, "why": found.why} for found in one.findings],
                "text": one.text,
            }
            for one in prepared.chunks
        ],
    }


def _record(prepared: Prepared, judged: Sequence[Judged], caller: str) -> dict[str, Any]:
    suspect = [
        {
            "sha256": one.sha256,
            "verdict": verdict_name(said.verdict),
            "withheld": not one.text,
            "why": said.verdict.why,
        }
        for one, said in zip(prepared.chunks, judged, strict=True)
        if not isinstance(said.verdict, Allow)
    ]
    withheld = sum(not one.text for one in prepared.chunks)
    return {
        "request": new_id(""),
        "caller": caller,
        "chunks": len(prepared.chunks),
        "withheld": withheld,
        "suspect": suspect[:_MOST_NOTED],
        "verdict": "redact" if withheld else "allow",
    }


def _error(status: int, code: str, message: str) -> Answer:
    said = openai_error(status, code, message)
    return Answer(said.status, [(b"content-type", said.content_type)], said.body)
