"""What may be said in which direction, and what a client may claim to be able to do. What is not listed does not pass.

The methods of MCP 2024-11-05 to 2025-11-25 (with a handshake) and of 2026-07-28 (each request says what it speaks).
Asking the client's model, its user or its folders for something is a server's way to act on the client: sampling,
elicitation and roots pass only where the operator allows them, and a client is not seen to offer what is denied.
"""

from collections.abc import Collection
from typing import Any


def words(text: str) -> frozenset[str]:
    """Return the words of a text, for lists that are read more easily as one."""
    return frozenset(text.split())


HANDSHAKE_VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
STATELESS_VERSIONS = ("2026-07-28",)
VERSIONS = (*HANDSHAKE_VERSIONS, *STATELESS_VERSIONS)

VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities"

CLIENT_REQUESTS = words(
    "initialize ping server/discover tools/list tools/call prompts/list prompts/get resources/list "
    "resources/read resources/templates/list resources/subscribe resources/unsubscribe "
    "completion/complete logging/setLevel subscriptions/listen tasks/get tasks/result tasks/list "
    "tasks/cancel"
)
CLIENT_NOTIFICATIONS = words(
    "notifications/initialized notifications/cancelled notifications/progress "
    "notifications/roots/list_changed notifications/tasks/status"
)
HANDSHAKE_ONLY = words("initialize ping logging/setLevel resources/subscribe resources/unsubscribe")
"""Requests that left MCP with 2026-07-28."""
SERVER_REQUESTS = words("ping tasks/get tasks/result tasks/list tasks/cancel")
SERVER_NOTIFICATIONS = words(
    "notifications/cancelled notifications/progress notifications/message "
    "notifications/tools/list_changed notifications/prompts/list_changed "
    "notifications/resources/list_changed notifications/resources/updated "
    "notifications/elicitation/complete notifications/subscriptions/acknowledged "
    "notifications/tasks/status"
)
ASKS_BACK = {"sampling/createMessage": "sampling", "elicitation/create": "elicitation", "roots/list": "roots"}
"""What a server may ask of a client, and the capability that it needs."""


def without(capabilities: object, denied: Collection[str]) -> dict[str, Any]:
    """Return a client's capabilities without the denied ones, also where tasks mention them."""
    if not isinstance(capabilities, dict):
        return {}
    kept = {key: value for key, value in capabilities.items() if key not in denied}
    tasks = kept.get("tasks")
    asked = tasks.get("requests") if isinstance(tasks, dict) else None
    if isinstance(tasks, dict) and isinstance(asked, dict):
        kept["tasks"] = {**tasks, "requests": {key: value for key, value in asked.items() if key not in denied}}
    return kept
