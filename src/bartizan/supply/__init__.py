"""Artefacts: scan, lock, sign, verify, bill of materials. Never imports, unpickles or runs what it reads."""

from typing import Any

__all__ = ["load", "only_approved"]


def __getattr__(name: str) -> Any:
    """Return what applications use; imported on first use, for commands do without it."""
    if name == "load":
        from bartizan.supply.loading import load

        return load
    if name == "only_approved":
        from bartizan.supply.loading_guard import only_approved

        return only_approved
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
