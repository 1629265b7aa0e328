"""The reports of an assessment: one file per form, each a pure function from an `Assessment` to text."""

from collections.abc import Callable

from bartizan.threats.assessment import Assessment
from bartizan.threats.reports import html_page, json_document, junit_xml, markdown_summary, sarif_log

REPORTS: tuple[tuple[str, Callable[[Assessment], str]], ...] = (
    ("report.html", html_page.render),
    ("report.md", markdown_summary.render),
    ("report.json", json_document.render),
    ("report.sarif", sarif_log.render),
    ("report.junit.xml", junit_xml.render),
)
