"""Differential privacy: what it costs, how to train with it, and how to catch an implementation that lies."""
