"""Messages: texts in order, with the trust of who could have chosen them."""

from bartizan.core.messages import Message, Role, Text, ToolCall, ToolResult, Trust


def test_texts_come_in_order_and_include_tool_results():
    """A call has no text of its own; a result has."""
    first, second = Text("a", Trust.USER), Text("b", Trust.WEB)
    message = Message(Role.TOOL, (first, ToolCall("1", "t", "{}"), ToolResult("1", second)))
    assert message.texts() == (first, second)


def test_replayed_assistant_text_counts_no_more_than_a_tool():
    """A client can put any words in the assistant's mouth."""
    assert Message.of(Role.ASSISTANT, "x").texts()[0].trust == Trust.TOOL
    assert Trust.WEB < Trust.TOOL < Trust.USER < Trust.DEVELOPER < Trust.OPERATOR
