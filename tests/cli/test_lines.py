"""In a log, progress is a line now and then."""

from bartizan.cli.lines import EVERY_S, Lines


def test_short_work_prints_nothing_and_long_work_a_line_now_and_then(capsys):
    """However often it is told of; where the total is not known there is none."""
    seconds = iter([0.0, 1.0, EVERY_S - 0.1, EVERY_S, EVERY_S + 1, 2 * EVERY_S + 1])
    lines = Lines(now=lambda: next(seconds))
    for done in range(4):
        lines.told("rows", done, 100)
    lines.told("rows", 4, 100)
    assert capsys.readouterr().err == "rows 2/100\nrows 4/100\n"
    again = iter([0.0, EVERY_S])
    Lines(now=lambda: next(again)).told("rows", 7, 0)
    assert capsys.readouterr().err == "rows 7\n"


def test_the_first_line_may_come_at_once_and_what_is_worth_one_always_does(capsys):
    """Other work, for instance."""
    lines = Lines(lambda what, before: what != before, now=lambda: 0.0)
    for what in ("one", "one", "two"):
        lines.told(what, 1, 2)
    assert capsys.readouterr().err == "one 1/2\ntwo 1/2\n"
    first = Lines(first_s=0.0, now=lambda: 5.0)
    first.told("one", 1, 2)
    first.told("one", 2, 2)
    assert capsys.readouterr().err == "one 1/2\n"
