"""The JSON: everything that was measured, ASCII only."""

import json

from tests.threats.examples import HOSTILE, assessment

from bartizan.threats.reports.json_document import render


def test_it_holds_every_figure():
    """Values with intervals, n and seed; the exit code; the transcript word for word."""
    text = render(assessment())
    assert text.isascii()
    read = json.loads(text)
    assert read["exit_code"] == 1
    assert [row["state"] for row in read["rows"]][:4] == ["holds", "failed", "untested", "no claim yet"]
    off = read["rows"][0]["evidence"]["attack_success_off"]
    assert (off["n"], off["seed"], off["method"]) == (42, 1, "clopper-pearson")
    assert off["low"] < off["value"] < off["high"]
    assert read["rows"][0]["evidence"]["transcripts"][0]["turns"][1] == {"role": "user", "text": HOSTILE}
    assert read["ledger"]["last_seq"] == 99
    assert read["rows"][2]["evidence"] is None
