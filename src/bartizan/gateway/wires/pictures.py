"""Pictures inside a request of any dialect: those sent along, and those that lie where only the provider looks.

Found by what they are called in OpenAI's, Anthropic's and MCP's forms, at any depth: in turns, in results of tools, in
documents. A data URL that calls itself a picture is one wherever it stands as a whole value. Nothing is decoded here.
Not found: pictures inside PDFs and videos, and data URLs in the midst of a text, which models read as text.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from bartizan.core.messages import Picture, Trust

_KINDS = frozenset(("image", "image_url", "input_image", "computer_screenshot", "image_generation_call"))
_SENT = frozenset(("data", "result"))
_ADDRESSES = frozenset(("url", "image_url", "file_id"))


def pictures_in(node: Any, trust: Trust, where: str) -> tuple[Picture, ...]:
    """Return the pictures in a part of a request, in order."""
    return tuple(_found(node, trust, where, inside=False)) if isinstance(node, dict | list) else ()


def _found(node: Any, trust: Trust, where: str, *, inside: bool) -> Iterator[Picture]:
    if isinstance(node, dict) and isinstance(node.get("type"), str):
        inside = inside or node["type"] in _KINDS
        if node["type"].endswith("tool_result"):
            trust = min(trust, Trust.TOOL)
        elif node["type"] in ("document", "search_result"):
            trust = Trust.WEB
    pairs: Iterable[tuple[Any, Any]] = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in pairs:
        at = f"{where}/{key}"
        if isinstance(value, dict | list):
            yield from _found(value, trust, at, inside=inside or key == "image_url")
        elif isinstance(value, str) and value:
            start = value[:32].lstrip().lower()
            data, pictured = start.startswith("data:"), inside or key == "image_url"
            if start.startswith("data:image/") or (pictured and (data or key in _SENT)):
                yield Picture(value, trust, at)
            elif pictured and key in _ADDRESSES:
                yield Picture("", trust, at, value[:200])
