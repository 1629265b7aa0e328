"""MCP over Streamable HTTP: clients that come in over it, servers that are reached over it."""
