"""The server that the conformance suite wants to see: its tools, prompts and resources, on the official Python SDK.

Run with the SDK's own interpreter: `python everything.py PORT`, or `stdio` for standard input and output. Bartizan does
not import this; the bench starts it.
"""

import asyncio
import hashlib
import hmac
import json
import sys
import warnings
from collections import defaultdict

import mcp_types as types
import uvicorn
from mcp.server.lowlevel.server import Server
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http import EventMessage, EventStore
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, PromptsListChanged, ToolsListChanged
from mcp.shared.exceptions import MCPError

warnings.filterwarnings("ignore")

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA="
ELICITATION, SAMPLING, ROOTS = "elicitation", "sampling", "roots"
MISSING_CAPABILITY = -32021
KEY = b"only for this server's own states"

STRICT_SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


def text(words):
    """Return a result of one text."""
    return types.CallToolResult(content=[types.TextContent(type="text", text=words)])


def image():
    return types.ImageContent(type="image", data=PNG, mime_type="image/png")


def embedded(uri, mime, content):
    resource = types.TextResourceContents(uri=uri, mime_type=mime, text=content)
    return types.EmbeddedResource(type="resource", resource=resource)


def form(**properties):
    """Return a form that asks for these."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def ask(message, **properties):
    params = types.ElicitRequestFormParams(message=message, requested_schema=form(**properties))
    return types.ElicitRequest(method="elicitation/create", params=params)


def sample(prompt):
    content = types.TextContent(type="text", text=prompt)
    messages = [types.SamplingMessage(role="user", content=content)]
    params = types.CreateMessageRequestParams(messages=messages, max_tokens=100)
    return types.CreateMessageRequest(method="sampling/createMessage", params=params)


def roots():
    return types.ListRootsRequest(method="roots/list")


NAME, OK = {"name": {"type": "string"}}, {"ok": {"type": "boolean"}}


def sealed(state):
    """Return a state that nobody else can make."""
    return f"{state}.{hmac.new(KEY, state.encode(), hashlib.sha256).hexdigest()}"


def opened(sealed_state):
    """Return the state; raise MCPError for one that is not ours."""
    state = sealed_state.rpartition(".")[0]
    if not hmac.compare_digest(sealed(state), sealed_state):
        raise MCPError(types.INVALID_PARAMS, "requestState is not ours")
    return state


def more(requests, state=None):
    """Return that the client must answer first."""
    return types.InputRequiredResult(input_requests=requests, request_state=sealed(state) if state else None)


def answered(params, *keys):
    given = params.input_responses or {}
    return all(key in given for key in keys)


def accepted(params, key, field):
    """Whether the answer `key` is there and has what was asked for."""
    given = (params.input_responses or {}).get(key)
    content = getattr(given, "content", None)
    return isinstance(content, dict) and isinstance(content.get(field), str | bool)


async def simple_text(ctx, params):
    return text("This is a simple text response for testing.")


async def image_content(ctx, params):
    return types.CallToolResult(content=[image()])


async def audio_content(ctx, params):
    return types.CallToolResult(content=[types.AudioContent(type="audio", data=WAV, mime_type="audio/wav")])


async def embedded_resource(ctx, params):
    content = embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")
    return types.CallToolResult(content=[content])


async def mixed(ctx, params):
    words = types.TextContent(type="text", text="Multiple content types test:")
    resource = embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}')
    return types.CallToolResult(content=[words, image(), resource])


async def with_logging(ctx, params):
    for said in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await ctx.session.send_log_message("info", said, related_request_id=ctx.request_id)
        await asyncio.sleep(0.05)
    return text("Tool with logging executed successfully")


async def failing(ctx, params):
    content = types.TextContent(type="text", text="This tool intentionally returns an error for testing")
    return types.CallToolResult(content=[content], is_error=True)


async def with_progress(ctx, params):
    for done in (0, 50, 100):
        await ctx.session.report_progress(done, 100)
        await asyncio.sleep(0.05)
    return text("done")


async def sampling(ctx, params):
    content = types.TextContent(type="text", text=params.arguments["prompt"])
    messages = [types.SamplingMessage(role="user", content=content)]
    said = await ctx.session.create_message(messages, max_tokens=100, related_request_id=ctx.request_id)
    return text(f"LLM response: {getattr(said.content, 'text', '')}")


async def elicited(ctx, message, schema, words):
    said = await ctx.session.elicit_form(message, schema, related_request_id=ctx.request_id)
    return text(f"{words}: action={said.action}, content={json.dumps(said.content)}")


async def elicitation(ctx, params):
    schema = form(username={"type": "string"}, email={"type": "string"})
    return await elicited(ctx, params.arguments["message"], schema, "User response")


async def defaults(ctx, params):
    schema = form(
        name={"type": "string", "default": "John Doe"},
        age={"type": "integer", "default": 30},
        score={"type": "number", "default": 95.5},
        status={"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        verified={"type": "boolean", "default": True},
    )
    return await elicited(ctx, "Defaults", {**schema, "required": []}, "Elicitation completed")


async def enums(ctx, params):
    plain = ["option1", "option2", "option3"]
    titled = [
        {"const": f"value{n}", "title": f"{word} Option"} for n, word in enumerate(("First", "Second", "Third"), 1)
    ]
    choices = [
        {"const": f"value{n}", "title": f"{word} Choice"} for n, word in enumerate(("First", "Second", "Third"), 1)
    ]
    schema = form(
        untitledSingle={"type": "string", "enum": plain},
        titledSingle={"type": "string", "oneOf": titled},
        legacyEnum={
            "type": "string",
            "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"],
        },
        untitledMulti={"type": "array", "items": {"type": "string", "enum": plain}},
        titledMulti={"type": "array", "items": {"anyOf": choices}},
    )
    return await elicited(ctx, "Enums", {**schema, "required": []}, "Elicitation completed")


async def reconnection(ctx, params):
    await asyncio.sleep(0.1)
    if ctx.close_sse_stream is not None:
        await ctx.close_sse_stream()
    await asyncio.sleep(0.2)
    return text("Reconnection test completed successfully.")


async def one_name(ctx, params):
    if not accepted(params, "user_name", "name"):
        return more({"user_name": ask("What is your name?", **NAME)})
    return text(f"Hello, {params.input_responses['user_name'].content['name']}!")


async def capital(ctx, params):
    if not answered(params, "capital_question"):
        return more({"capital_question": sample("What is the capital of France?")})
    return text(str(params.input_responses["capital_question"].content))


async def folders(ctx, params):
    if not answered(params, "client_roots"):
        return more({"client_roots": roots()})
    return text(", ".join(str(one.uri) for one in params.input_responses["client_roots"].roots))


async def stateful(ctx, params):
    if not answered(params, "confirm"):
        return more({"confirm": ask("Please confirm", **OK)}, "confirm")
    return text("state-ok" if opened(params.request_state or "") == "confirm" else "no state")


async def several(ctx, params):
    if not answered(params, "user_name", "greeting", "client_roots"):
        wanted = {"user_name": ask("What is your name?", **NAME), "greeting": sample("Generate a greeting")}
        return more({**wanted, "client_roots": roots()}, "several")
    opened(params.request_state or "")
    return text("all answered")


async def rounds(ctx, params):
    state = opened(params.request_state) if params.request_state else ""
    if state == "two" and answered(params, "step2"):
        return text("both steps answered")
    if state == "one" and answered(params, "step1"):
        return more({"step2": ask("Step 2: What is your favorite color?", color={"type": "string"})}, "two")
    return more({"step1": ask("Step 1: What is your name?", **NAME)}, "one")


async def able(ctx, params):
    has = ctx.session.client_capabilities
    wanted = {}
    if getattr(has, SAMPLING, None) is not None:
        wanted["sampled"] = sample("Say something")
    if getattr(has, ELICITATION, None) is not None:
        wanted["asked"] = ask("What is your name?", **NAME)
    return more(wanted) if wanted else text("nothing can be asked")


async def missing(ctx, params):
    if getattr(ctx.session.client_capabilities, SAMPLING, None) is None:
        raise MCPError(MISSING_CAPABILITY, "sampling is needed", {"requiredCapabilities": {"sampling": {}}})
    return text("sampling is there")


async def changes_tools(ctx, params):
    await BUS.publish(ToolsListChanged())
    return text("changed")


async def changes_prompts(ctx, params):
    await BUS.publish(PromptsListChanged())
    return text("changed")


BUS = InMemorySubscriptionBus()
NOTHING = {"type": "object", "properties": {}}
MIRRORED = {"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}}
WORDS = {"prompt": {"type": "object", "properties": {"prompt": {"type": "string"}}, "required": ["prompt"]}}
WORDS["message"] = {"type": "object", "properties": {"message": {"type": "string"}}, "required": ["message"]}
REQUIRED = "test_input_required_result_"
TOOLS = {
    "test_simple_text": (simple_text, NOTHING),
    "test_image_content": (image_content, NOTHING),
    "test_audio_content": (audio_content, NOTHING),
    "test_embedded_resource": (embedded_resource, NOTHING),
    "test_multiple_content_types": (mixed, NOTHING),
    "test_tool_with_logging": (with_logging, NOTHING),
    "test_logging_tool": (with_logging, NOTHING),
    "test_error_handling": (failing, NOTHING),
    "test_tool_with_progress": (with_progress, NOTHING),
    "test_sampling": (sampling, WORDS["prompt"]),
    "test_elicitation": (elicitation, WORDS["message"]),
    "test_elicitation_sep1034_defaults": (defaults, NOTHING),
    "test_elicitation_sep1330_enums": (enums, NOTHING),
    "test_reconnection": (reconnection, NOTHING),
    "json_schema_2020_12_tool": (simple_text, STRICT_SCHEMA),
    "test_custom_headers": (simple_text, MIRRORED),
    "test_missing_capability": (missing, NOTHING),
    "test_streaming_elicitation": (one_name, NOTHING),
    "test_trigger_tool_change": (changes_tools, NOTHING),
    "test_trigger_prompt_change": (changes_prompts, NOTHING),
    f"{REQUIRED}elicitation": (one_name, NOTHING),
    f"{REQUIRED}sampling": (capital, NOTHING),
    f"{REQUIRED}list_roots": (folders, NOTHING),
    f"{REQUIRED}request_state": (stateful, NOTHING),
    f"{REQUIRED}multiple_inputs": (several, NOTHING),
    f"{REQUIRED}multi_round": (rounds, NOTHING),
    f"{REQUIRED}tampered_state": (stateful, NOTHING),
    f"{REQUIRED}capabilities": (able, NOTHING),
}
SINCE_2026 = {name for name in TOOLS if name.startswith(REQUIRED)}


async def list_tools(ctx, params):
    tools = [
        types.Tool(name=name, description=f"Tests: {name}.", input_schema=schema) for name, (_, schema) in TOOLS.items()
    ]
    return types.ListToolsResult(tools=tools)


async def call_tool(ctx, params):
    if params.name not in TOOLS:
        raise MCPError(types.INVALID_PARAMS, f"Unknown tool: {params.name}")
    return await TOOLS[params.name][0](ctx, params)


TEXTS = {
    "test://static-text": "This is the content of the static text resource.",
    "test://watched-resource": "Watched.",
}


async def list_resources(ctx, params):
    uris = (*TEXTS, "test://static-binary")
    return types.ListResourcesResult(
        resources=[
            types.Resource(uri=uri, name=uri[7:], description=f"Tests: {uri}", mime_type="text/plain") for uri in uris
        ]
    )


async def list_templates(ctx, params):
    template = types.ResourceTemplate(uri_template="test://template/{id}/data", name="template", description="By id.")
    return types.ListResourceTemplatesResult(resource_templates=[template])


async def read_resource(ctx, params):
    uri = str(params.uri)
    if uri in TEXTS:
        content = types.TextResourceContents(uri=uri, mime_type="text/plain", text=TEXTS[uri])
    elif uri == "test://static-binary":
        content = types.BlobResourceContents(uri=uri, mime_type="image/png", blob=PNG)
    elif uri.startswith("test://template/") and uri.endswith("/data"):
        id_ = uri.split("/")[3]
        data = json.dumps({"id": id_, "templateTest": True, "data": f"Data for ID: {id_}"})
        content = types.TextResourceContents(uri=uri, mime_type="application/json", text=data)
    else:
        raise MCPError(types.INVALID_PARAMS, "Resource not found", {"uri": uri})
    return types.ReadResourceResult(contents=[content])


async def done(ctx, params):
    return types.EmptyResult()


PROMPTS = {
    "test_simple_prompt": (),
    "test_prompt_with_arguments": ("arg1", "arg2"),
    "test_prompt_with_embedded_resource": ("resourceUri",),
    "test_prompt_with_image": (),
    "test_input_required_result_prompt": (),
}


async def list_prompts(ctx, params):
    return types.ListPromptsResult(
        prompts=[
            types.Prompt(
                name=name,
                description=f"Tests: {name}.",
                arguments=[types.PromptArgument(name=one, description=one, required=True) for one in arguments],
            )
            for name, arguments in PROMPTS.items()
        ]
    )


def said(*contents):
    messages = [
        types.PromptMessage(
            role="user", content=types.TextContent(type="text", text=one) if isinstance(one, str) else one
        )
        for one in contents
    ]
    return types.GetPromptResult(messages=messages)


async def get_prompt(ctx, params):
    given = params.arguments or {}
    match params.name:
        case "test_simple_prompt":
            return said("This is a simple prompt for testing.")
        case "test_prompt_with_arguments":
            return said(f"Prompt with arguments: arg1='{given['arg1']}', arg2='{given['arg2']}'")
        case "test_prompt_with_embedded_resource":
            resource = embedded(given["resourceUri"], "text/plain", "Embedded resource content for testing.")
            return said(resource, "Please process the embedded resource above.")
        case "test_prompt_with_image":
            return said(image(), "Please analyze the image above.")
        case "test_input_required_result_prompt":
            if not accepted(params, "user_context", "context"):
                return more({"user_context": ask("What context should the prompt use?", context={"type": "string"})})
            return said(f"Context: {params.input_responses['user_context'].content['context']}")
    raise MCPError(types.INVALID_PARAMS, f"Unknown prompt: {params.name}")


async def complete(ctx, params):
    return types.CompleteResult(completion=types.Completion(values=["paris", "park", "party"], total=3, has_more=False))


class Events(EventStore):
    """Keeps what was sent, so that a stream can be resumed."""

    def __init__(self):
        self.kept, self.streams = [], defaultdict(list)

    async def store_event(self, stream_id, message):
        self.kept.append((stream_id, message))
        return str(len(self.kept))

    async def replay_events_after(self, last_event_id, send_callback):
        at = int(last_event_id)
        if not 0 < at <= len(self.kept):
            return None
        stream_id = self.kept[at - 1][0]
        for number, (stream, message) in enumerate(self.kept[at:], at + 1):
            if stream == stream_id and message is not None:
                await send_callback(EventMessage(message, str(number)))
        return stream_id


async def over_pipes(server):
    """Serve one client."""
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


def main():
    """Serve on the port that is named, or one client over pipes."""
    server = Server(
        "everything",
        version="1.0.0",
        get_tool_input_schema=lambda name: TOOLS[name][1] if name in TOOLS else None,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_list_resource_templates=list_templates,
        on_read_resource=read_resource,
        on_subscribe_resource=done,
        on_unsubscribe_resource=done,
        on_subscriptions_listen=ListenHandler(BUS),
        on_list_prompts=list_prompts,
        on_get_prompt=get_prompt,
        on_completion=complete,
        on_set_logging_level=done,
    )
    if sys.argv[1] == "stdio":
        asyncio.run(over_pipes(server))
        return
    app = server.streamable_http_app(event_store=Events(), retry_interval=200)
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")


if __name__ == "__main__":
    main()
