"""`bartizan mcp`: stand in front of MCP servers, and say what of theirs may be used."""
