"""Bartizan attacks your AI the way real attackers do, closes what gets through, and proves both with measurements."""

__version__ = "0.1.0"
