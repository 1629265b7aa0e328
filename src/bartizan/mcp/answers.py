"""What becomes of a server's answers: tools pinned or left out, results screened, requests inside them refused.

Functions from an answer to acts. Which request an answer belongs to is the session's knowledge (`session.py`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bartizan.core.findings import Finding
from bartizan.core.messages import Trust
from bartizan.mcp.asking import refused_asking
from bartizan.mcp.messages import INTERNAL_ERROR, REFUSED, Act, Answer, Id, Note, ToClient, refusal
from bartizan.mcp.methods import HANDSHAKE_VERSIONS, VERSIONS
from bartizan.mcp.names import exposed
from bartizan.mcp.pins import Standing
from bartizan.mcp.server import Server

_LISTS = {
    "prompts/list": "prompts",
    "resources/list": "resources",
    "resources/templates/list": "resourceTemplates",
}
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """A client's request that is under way. `tool` is the server's own name of the tool that is called."""

    id: Id
    method: str
    tool: str = ""
    cursor: str = ""
    stateless: bool = False
    trusted: bool = False
    """Whether the operator says that only he or the user can have written what this tool returns."""

    @property
    def what(self) -> str:
        """What records call the answer."""
        return self.tool or self.method


def noted(findings: Sequence[Finding]) -> list[dict[str, str]]:
    """Return findings as records hold them, without the texts that they are about."""
    return [{"rule": one.rule, "severity": one.severity.name.lower(), "where": one.where} for one in findings[:_SHOWN]]


def denial(asked: Asked, why: str) -> Answer:
    """Return a refused call's answer in the form that the model reads and can act on."""
    result: dict[str, Any] = {"content": [{"type": "text", "text": why}], "isError": True}
    return Answer(asked.id, result={"resultType": "complete", **result} if asked.stateless else result)


def answered(
    server: Server, asked: Asked, answer: Answer, may_use: Callable[[str], bool] = lambda tool: True
) -> list[Act]:
    """Return what becomes of the answer to a client's request. Of tools those are shown that the client may use."""
    if answer.error is not None:
        return _failed(server, asked, answer.error)
    result = answer.result or {}
    if result.get("resultType") == "input_required" or "inputRequests" in result:
        why = _inputs(server, result)
        if why:
            note = Note("mcp-refused", {"server": server.name, "from": "server", "what": asked.what, "why": why})
            return [note, ToClient(refusal(asked.id, REFUSED, f"the server asks for what it may not: {why}"))]
    match asked.method:
        case "initialize" | "server/discover":
            return _introduced(server, asked, result)
        case "tools/list":
            return _tools(server, asked, result, may_use)
        case "prompts/list" | "resources/list" | "resources/templates/list":
            return _listed(server, asked, result)
        case _:
            return _result(server, asked, result)


def _failed(server: Server, asked: Asked, error: Mapping[str, Any]) -> list[Act]:
    screened = server.contents.screened({"error": dict(error)}, server.name, asked.what, Trust.WEB)
    cleaned = dict(screened.result["error"])
    if screened.withheld:
        cleaned = {"code": error["code"], "message": "the server's error message was withheld: it looks like an attack"}
    acts: list[Act] = [] if not screened.findings else [_seen(server, asked, screened.withheld, screened.findings)]
    return [*acts, ToClient(Answer(asked.id, error=cleaned))]


def _seen(server: Server, asked: Asked, withheld: str, findings: Sequence[Finding], edits: int = 0) -> Note:
    body = {
        "server": server.name,
        "what": asked.what,
        "verdict": "block" if withheld else "allow",
        "why": withheld,
        "findings": noted(findings),
        "edits": edits,
    }
    return Note("mcp-result", body, durable=bool(withheld))


def _inputs(server: Server, result: Mapping[str, Any]) -> str:
    """Return why what a result asks of the client is refused, or nothing (2026-07-28: requests within results)."""
    requests = result.get("inputRequests") or {}
    if not isinstance(requests, dict):
        return "inputRequests: expected an object"
    for request in requests.values():
        if not isinstance(request, dict) or not isinstance(request.get("method"), str):
            return "an input request without a method"
        params = request.get("params")
        known = params if isinstance(params, dict) else {}
        why = refused_asking(request["method"], known, server.denied, server.contents, server.name)
        if why:
            return why
    return ""


def _introduced(server: Server, asked: Asked, result: dict[str, Any]) -> list[Act]:
    """A server says who it is: its version must be one we know, its instructions must be approved."""
    acts: list[Act] = []
    if asked.method == "initialize" and result.get("protocolVersion") not in HANDSHAKE_VERSIONS:
        why = f"the server speaks {str(result.get('protocolVersion'))[:40]!r}: expected one of {HANDSHAKE_VERSIONS}"
        return [ToClient(refusal(asked.id, INTERNAL_ERROR, why))]
    result = server.contents.tamed(result)
    versions = result.get("supportedVersions")
    if isinstance(versions, list):
        result["supportedVersions"] = [version for version in versions if version in VERSIONS]
    text = result.get("instructions")
    if text is not None:
        standing = server.catalogue.instructions(str(text))
        if standing.fresh:
            acts.append(_standings(server, [standing]))
        if not standing.usable:
            del result["instructions"]
    return [*acts, ToClient(Answer(asked.id, result=result))]


def _standings(server: Server, standings: Sequence[Standing], findings: Sequence[Finding] = ()) -> Note:
    items = [{"name": one.name, "state": one.state, "sha256": one.sha256, "why": one.why} for one in standings]
    return Note("mcp-offer", {"server": server.name, "items": items, "findings": noted(findings)})


def _tools(server: Server, asked: Asked, result: dict[str, Any], may_use: Callable[[str], bool]) -> list[Act]:
    listing = server.catalogue.listed(result, asked.cursor)
    fresh = [standing for standing in listing.standings if standing.fresh]
    acts: list[Act] = [_standings(server, fresh, listing.findings)] if fresh or listing.findings else []
    namespaced = server.settings.namespaced
    usable = [tool for tool in listing.tools if may_use(tool["name"])]
    shown = [{**tool, "name": exposed(server.name, tool["name"], namespaced=namespaced)} for tool in usable]
    return [*acts, ToClient(Answer(asked.id, result={**result, "tools": shown}))]


def _listed(server: Server, asked: Asked, result: dict[str, Any]) -> list[Act]:
    """Prompts and resources come and go, so they are screened one by one instead of pinned."""
    key = _LISTS[asked.method]
    items = result.get(key)
    kept: list[Any] = []
    findings: list[Finding] = []
    for item in items if isinstance(items, list) else ():
        screened = server.contents.screened({"item": item}, server.name, asked.method, Trust.WEB)
        findings += screened.findings
        if not screened.withheld:
            kept.append(screened.result["item"])
    left_out = len(items) - len(kept) if isinstance(items, list) else 0
    why = f"{left_out} left out: they look like an attack" if left_out else ""
    acts: list[Act] = [_seen(server, asked, why, findings)] if findings else []
    return [*acts, ToClient(Answer(asked.id, result={**server.contents.tamed(result), key: kept}))]


def _result(server: Server, asked: Asked, result: dict[str, Any]) -> list[Act]:
    trust = Trust.TOOL if asked.trusted else Trust.WEB
    requests = result.get("inputRequests")
    if requests is not None:  # these were judged by themselves (`_inputs`)
        result = {key: value for key, value in result.items() if key != "inputRequests"}
    screened = server.contents.screened(result, server.name, asked.what, trust)
    if requests is not None:
        screened.result |= server.contents.tamed({"inputRequests": requests})
    note = _seen(server, asked, screened.withheld, screened.findings, screened.edits)
    if not screened.withheld:
        return [note, ToClient(Answer(asked.id, result=screened.result))]
    why = f"Bartizan withheld what {server.name} returned: {screened.withheld}."
    if asked.method == "tools/call":
        return [note, ToClient(denial(asked, why))]
    return [note, ToClient(refusal(asked.id, REFUSED, why))]
