"""LangChain and LangGraph: `guarded(tools, session)` gives tools that are decided before they run.

Works with whatever runs tools by `invoke` or `ainvoke` (agents, `ToolNode`). A call that may not happen returns a text
that the model can act on. Needs `langchain-core`.
"""

import json
from collections.abc import Sequence
from typing import Any

from langchain_core.tools import BaseTool, StructuredTool

from bartizan.core.messages import ToolSpec
from bartizan.policy.session import Session


def guarded(tools: Sequence[BaseTool], session: Session) -> list[BaseTool]:
    """Return tools of the same names, descriptions and schemas. The session is told what they are."""
    session.offer([_spec(tool) for tool in tools])
    return [_guarded(tool, session) for tool in tools]


def _spec(tool: BaseTool) -> ToolSpec:
    return ToolSpec(tool.name, tool.description, json.dumps(tool.get_input_jsonschema(), default=str))


def _guarded(tool: BaseTool, session: Session) -> BaseTool:
    def run(**arguments: Any) -> Any:
        call, denied = session.permit(tool.name, json.dumps(arguments, default=str))
        if denied:
            return denied
        result = tool.invoke(_changed(arguments, call.arguments))
        session.returned(call, _text(result))
        return result

    async def arun(**arguments: Any) -> Any:
        call, denied = session.permit(tool.name, json.dumps(arguments, default=str))
        if denied:
            return denied
        result = await tool.ainvoke(_changed(arguments, call.arguments))
        session.returned(call, _text(result))
        return result

    return StructuredTool(
        name=tool.name,
        description=tool.description,
        args_schema=tool.args_schema or tool.get_input_schema(),
        func=run,
        coroutine=arun,
        return_direct=tool.return_direct,
    )


def _changed(arguments: dict[str, Any], decided: str) -> dict[str, Any]:
    """Return the arguments as they were given, unless the policy rewrote them."""
    if decided == json.dumps(arguments, default=str):
        return arguments
    made: dict[str, Any] = json.loads(decided)
    return made


def _text(result: Any) -> str:
    return result if isinstance(result, str) else json.dumps(result, default=str, ensure_ascii=False)
