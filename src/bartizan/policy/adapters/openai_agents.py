"""OpenAI Agents SDK: `guarded(tools, session)` gives function tools that are decided before they run.

A call that may not happen returns a text that the model can act on. Tools that OpenAI runs itself (web search, code
interpreter, hosted MCP) cannot be decided here: put the gateway in front of the model for those. Needs `openai-agents`.
"""

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

from agents.tool_context import ToolContext

from agents import FunctionTool
from bartizan.core.errors import BadSettings
from bartizan.core.messages import ToolSpec
from bartizan.policy.session import Session


def guarded(tools: Sequence[FunctionTool], session: Session) -> list[FunctionTool]:
    """Return tools that pass the policy first. Raises BadSettings for a tool that does not run here."""
    for tool in tools:
        if not isinstance(tool, FunctionTool):
            raise BadSettings(f"{type(tool).__name__}: expected function tools: others do not run where the policy is")
    session.offer([ToolSpec(tool.name, tool.description, json.dumps(tool.params_json_schema)) for tool in tools])
    return [_guarded(tool, session) for tool in tools]


def _guarded(tool: FunctionTool, session: Session) -> FunctionTool:
    async def invoke(context: ToolContext[Any], arguments: str) -> Any:
        call, denied = session.permit(tool.name, arguments)
        if denied:
            return denied
        result = await tool.on_invoke_tool(context, call.arguments)
        session.returned(call, result if isinstance(result, str) else json.dumps(result, default=str))
        return result

    return dataclasses.replace(tool, on_invoke_tool=invoke)
