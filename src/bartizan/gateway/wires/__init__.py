"""The dialects the gateway speaks. `WIRES` is all of them; the first whose route matches takes the request."""

from bartizan.gateway.wires.base import Wire
from bartizan.gateway.wires.openai_chat import OpenAIChat

WIRES: tuple[Wire, ...] = (OpenAIChat(),)
