"""The dialects the gateway speaks. `WIRES` is all of them; a path belongs to exactly one."""

from bartizan.gateway.wires.anthropic_messages import AnthropicCountTokens, AnthropicMessages
from bartizan.gateway.wires.base import Wire
from bartizan.gateway.wires.openai_chat import OpenAIChat
from bartizan.gateway.wires.openai_completions import OpenAICompletions, OpenAIEmbeddings
from bartizan.gateway.wires.openai_responses import OpenAIResponses

WIRES: tuple[Wire, ...] = (
    OpenAIChat(),
    OpenAIResponses(),
    AnthropicMessages(),
    AnthropicCountTokens(),
    OpenAICompletions(),
    OpenAIEmbeddings(),
)
