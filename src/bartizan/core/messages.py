"""What is said to a model and by it, independent of any vendor's dialect. Frozen; parsed once at the edge."""

from dataclasses import dataclass
from enum import Enum, IntEnum


class Trust(IntEnum):
    """Who could have chosen this text. Higher may instruct lower, never the other way round."""

    WEB = 0
    """Anybody: documents, web pages, mail, retrieved chunks."""
    TOOL = 1
    """The server of a tool that the operator connected."""
    USER = 2
    """The person, or the client acting for the person."""
    DEVELOPER = 3
    """The application's author, per request."""
    OPERATOR = 4
    """Whoever owns the deployment: system prompt and settings."""


class Role(Enum):
    """The author that a dialect declares for a message."""

    SYSTEM = "system"
    DEVELOPER = "developer"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


ROLE_TRUST = {
    Role.SYSTEM: Trust.OPERATOR,
    Role.DEVELOPER: Trust.DEVELOPER,
    Role.USER: Trust.USER,
    Role.ASSISTANT: Trust.TOOL,
    Role.TOOL: Trust.TOOL,
}
"""Trust of a role when nothing else is known. A client can replay any assistant text, so it counts as a tool's."""


@dataclass(frozen=True, slots=True)
class Text:
    """A run of text with one trust level. `origin` is a JSON pointer or a name that a person can follow."""

    content: str
    trust: Trust
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it was sent: base64 or a data URL, not decoded yet; empty when it lies `elsewhere`."""

    source: str
    trust: Trust
    origin: str = ""
    elsewhere: str = ""
    """Address or file id, at a place that only the provider sees."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that a model asks for. `arguments` is the raw JSON text as the model wrote it."""

    id: str
    tool: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool answered to the call `call_id`."""

    call_id: str
    text: Text


Part = Text | ToolCall | ToolResult


@dataclass(frozen=True, slots=True)
class Message:
    """One turn: who is said to speak, the parts in order, and the pictures among them."""

    role: Role
    parts: tuple[Part, ...]
    pictures: tuple[Picture, ...] = ()
    ours: bool | None = None
    """Of a model's turn in a request: whether this gateway gave that answer; None where nobody can know."""

    @staticmethod
    def of(role: Role, content: str, origin: str = "") -> "Message":
        """Return a message of one text with the role's own trust."""
        return Message(role, (Text(content, ROLE_TRUST[role], origin),))

    def texts(self) -> tuple[Text, ...]:
        """Return every text of the message, tool results included, in order."""
        return tuple(
            [part if isinstance(part, Text) else part.text for part in self.parts if not isinstance(part, ToolCall)]
        )


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as the client offers it to the model. `schema` is the raw JSON Schema text of its arguments."""

    name: str
    description: str = ""
    schema: str = "{}"


@dataclass(frozen=True, slots=True)
class Prompt:
    """A request to a model. `max_output_tokens` is None when the client set no cap."""

    model: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    stream: bool = False
    max_output_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the provider counts them. `input_tokens` holds all of the input, what came from or went to a cache too.

    `tier` is the provider's own word for the service tier it charged, empty when it named none.
    """

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    written_tokens: int = 0
    tier: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model answered. `finish` is the dialect's own word for why it stopped."""

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    finish: str = "stop"
    usage: Usage | None = None
