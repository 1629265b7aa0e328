"""What a server asks of the client: its model (sampling), its user (elicitation), its folders (roots).

Denied unless the operator allows it, and then still within the rules of MCP's security practices: no tools and no other
servers' context for a server's prompt, no credentials out of a form, no link that leads inside the network or runs
something. The texts are screened like results: they are the server's words to a model or to a person.
"""

import itertools
from collections.abc import Mapping
from typing import Any

from bartizan.core.messages import Trust
from bartizan.mcp.contents import Contents
from bartizan.mcp.methods import ASKS_BACK, words
from bartizan.mcp.places import host_of, inside, scheme_of
from bartizan.policy.manifest import singular, words_of

_SECRETS = words("password passwd passphrase secret token apikey credential otp pin cvv cvc ssn mnemonic seedphrase")
_MOST_TOKENS = 65536


def refused_asking(
    method: str, params: Mapping[str, Any], denied: frozenset[str], contents: Contents, server: str
) -> str:
    """Return why a server may not ask this, or nothing."""
    needs = ASKS_BACK.get(method)
    if needs is None:
        return f"{method[:80]} is nothing that a server may ask"
    if needs in denied:
        return f"mcp.{needs} is denied here"
    match method:
        case "sampling/createMessage":
            why = _sampling(params)
        case "elicitation/create":
            why = _elicitation(params, contents)
        case _:
            why = ""
    if why or method == "roots/list":
        return why
    screened = contents.screened({"params": dict(params)}, server, method, Trust.USER)
    return f"its text looks like an attack: {screened.withheld}" if screened.withheld else ""


def _sampling(params: Mapping[str, Any]) -> str:
    if params.get("tools") or params.get("toolChoice"):
        return "a server's prompt gets no tools"
    if params.get("includeContext", "none") != "none":
        return "a server's prompt gets no context of others"
    most = params.get("maxTokens", 0)
    if not isinstance(most, int) or isinstance(most, bool) or not 0 <= most <= _MOST_TOKENS:
        return f"maxTokens: expected 0 to {_MOST_TOKENS}"
    return ""


def _elicitation(params: Mapping[str, Any], contents: Contents) -> str:
    if params.get("mode") == "url" or "url" in params:
        url = str(params.get("url", ""))
        if scheme_of(url) != "https":
            return "a person is only sent to an https address"
        return inside(host_of(url) or "localhost", contents.hosts)
    schema = params.get("requestedSchema")
    fields = schema.get("properties") if isinstance(schema, dict) else None
    for name, about in fields.items() if isinstance(fields, dict) else ():
        parts = [singular(word) for word in words_of(str(name))]
        title = words_of(str(about.get("title", ""))) if isinstance(about, dict) else ()
        joined = {"".join(pair) for pair in itertools.pairwise(parts)}
        if _SECRETS & ({*parts, *joined} | {singular(word) for word in title}):
            return f"a form does not ask for credentials ({str(name)[:40]})"
    return ""
