"""Every report renders every example."""

import pytest
from tests.threats.examples import assessment

from bartizan.threats.reports import REPORTS


@pytest.mark.parametrize(("name", "render"), REPORTS, ids=[name for name, _ in REPORTS])
def test_each_report_is_named_once_and_renders(name, render):
    """Each file once, none empty."""
    assert len({one for one, _ in REPORTS}) == len(REPORTS)
    assert len(render(assessment(failed=False, untested=False))) > 500, name
