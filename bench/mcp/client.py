"""What the official Python client makes of a server: everything that a user of it would see, as JSON.

Run with the SDK's own interpreter: `python client.py VERSION URL`, or `python client.py VERSION COMMAND…`. What the
proxy adds by design (where a result came from, in `_meta`) is left out.
"""

import asyncio
import json
import sys
import warnings

import mcp_types as types
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

warnings.filterwarnings("ignore")

CALLS = (
    ("test_simple_text", {}),
    ("test_multiple_content_types", {}),
    ("test_error_handling", {}),
    ("test_tool_with_progress", {}),
    ("test_no_such_tool", {}),
)
BEFORE_2026 = (
    ("test_tool_with_logging", {}),
    ("test_sampling", {"prompt": "Say something."}),
    ("test_elicitation", {"message": "Who are you?"}),
    ("test_reconnection", {}),
)
SINCE_2026 = (
    ("test_input_required_result_elicitation", {}),
    ("test_input_required_result_multi_round", {}),
    ("test_input_required_result_multiple_inputs", {}),
    ("test_custom_headers", {"region": "Zürich"}),
)


async def elicited(context, params):
    """Answer every form."""
    return types.ElicitResult(action="accept", content={"name": "Ada", "color": "blue", "username": "a", "email": "b"})


async def sampled(context, params):
    """Answer for the model."""
    content = types.TextContent(type="text", text="something")
    return types.CreateMessageResult(role="assistant", content=content, model="none")


async def rooted(context):
    """Name one folder."""
    return types.ListRootsResult(roots=[types.Root(uri="file:///project", name="project")])


def plain(result):
    """Return a result as JSON, without `_meta`."""
    tree = result.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {key: value for key, value in tree.items() if key != "_meta"}


async def tried(awaitable):
    """Return what comes of it, an error too."""
    try:
        return plain(await asyncio.wait_for(awaitable, 30))
    except Exception as error:  # noqa: BLE001 - whatever a user of the client would see
        return {"error": getattr(error, "code", type(error).__name__)}


async def seen(client):
    """Return all that the client sees."""
    told = []

    async def progress(done, total, message):
        told.append([done, total])

    calls = CALLS + (SINCE_2026 if client.protocol_version >= "2026" else BEFORE_2026)
    found = {"version": client.protocol_version, "tools": sorted(one.name for one in (await client.list_tools()).tools)}
    for name, arguments in calls:
        found[name] = await tried(client.call_tool(name, arguments, progress_callback=progress))
    found["progress"] = told
    found["resources"] = plain(await client.list_resources())
    found["templates"] = plain(await client.list_resource_templates())
    for uri in ("test://static-text", "test://static-binary", "test://template/7/data", "test://nothing"):
        found[uri] = await tried(client.read_resource(uri))
    found["prompts"] = plain(await client.list_prompts())
    found["prompt"] = await tried(client.get_prompt("test_prompt_with_arguments", {"arg1": "a", "arg2": "b"}))
    reference = types.PromptReference(type="ref/prompt", name="test_prompt_with_arguments")
    found["completion"] = await tried(client.complete(reference, {"name": "arg1", "value": "par"}))
    return found


async def main():
    """Ask and print."""
    version, first, *rest = sys.argv[1:]
    if first.startswith("http"):
        transport = streamable_http_client(first)
    else:
        transport = stdio_client(StdioServerParameters(command=first, args=rest))
    mode = version if version >= "2026" else "legacy"
    asked = {"elicitation_callback": elicited, "sampling_callback": sampled, "list_roots_callback": rooted}
    async with Client(transport, mode=mode, **asked) as client:
        print(json.dumps(await seen(client)))


asyncio.run(main())
