"""The MCP proxy: what servers offer is pinned, what clients call is decided, what comes back is screened."""
