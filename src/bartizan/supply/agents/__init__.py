"""What agents are given to trust: MCP server configurations, tool descriptions, skills and rules files."""
