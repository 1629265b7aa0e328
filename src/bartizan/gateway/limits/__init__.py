"""Limits on what callers may use: money, tokens, requests, slots. Reserved before, settled after."""
