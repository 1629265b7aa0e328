"""A small MCP server over standard input and output: it answers, prints noise, dies or stays silent as it is told."""

import json
import sys
import time

TOOLS = [
    {"name": "add", "description": "Add two numbers.", "inputSchema": {"type": "object", "properties": {"a": {}}}},
    {"name": "die", "description": "Ends the server.", "inputSchema": {"type": "object"}},
    {"name": "sleep", "description": "Says nothing.", "inputSchema": {"type": "object"}},
]

print("this line is no message", flush=True)
print("\x1b[31mred\x1b[0m", file=sys.stderr, flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    if "id" not in asked:
        continue
    if asked["method"] == "initialize":
        result = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {"name": "demo"}}
    elif asked["method"] == "tools/list":
        result = {"tools": TOOLS}
    elif asked.get("params", {}).get("name") == "die":
        sys.exit(3)
    elif asked.get("params", {}).get("name") == "sleep":
        time.sleep(0.01)
        continue
    else:
        result = {"content": [{"type": "text", "text": "done"}]}
    print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}), flush=True)
