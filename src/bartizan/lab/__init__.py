"""Attacks and defences on models. Attacks propose; judges measure; nothing scores itself."""
