"""Conversations: what several turns show together, and what the model's own answers show."""
