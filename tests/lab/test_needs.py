"""A missing extra says how to install it."""

import pytest

from bartizan.core.errors import BadSettings
from bartizan.lab.needs import need


def test_what_is_there_is_returned_and_what_is_not_names_its_cure():
    """The error carries the command."""
    assert need("json").loads("1") == 1
    with pytest.raises(BadSettings, match="no_such_package is not installed") as raised:
        need("no_such_package.part")
    assert raised.value.hint() == "pip install 'bartizan[lab]'"
