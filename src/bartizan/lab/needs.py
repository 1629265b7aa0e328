"""Imports what only the extra `lab` brings, and says how to get it when it is not there."""

import importlib
from typing import Any

from bartizan.core.errors import BadSettings


def need(module: str) -> Any:
    """Return the module of that name. Raises BadSettings with the command that installs it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise BadSettings(
            f"{module.partition('.')[0]} is not installed: {error}", hint="pip install 'bartizan[lab]'"
        ) from error
