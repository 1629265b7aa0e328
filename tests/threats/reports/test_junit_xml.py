"""JUnit: a standard parser reads it, and counts what it should."""

from junitparser import Error, Failure, JUnitXml, Skipped
from tests.threats.examples import assessment

from bartizan.threats.reports.junit_xml import render


def test_a_standard_parser_reads_it(tmp_path):
    """Held, failed, untested and no claim are passed, failure, error and skipped."""
    path = tmp_path / "report.junit.xml"
    path.write_text(render(assessment()))
    suites = list(JUnitXml.fromfile(str(path)))
    assert len(suites) == 10
    kinds = [[type(result) for case in suite for result in case.result] for suite in suites]
    assert kinds[:4] == [[], [Failure], [Error], [Skipped]]
    assert (suites[1].failures, suites[2].errors, suites[3].skipped) == (1, 1, 1)
