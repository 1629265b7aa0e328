"""The command line goes over the settings, and nonsense is refused."""

import argparse

import pytest

from bartizan.cli.lab.subject import GOES_ON, add_subject, bar, folder, subject
from bartizan.core.errors import BadSettings


def parsed(*words):
    """Parse words as an act does."""
    parser = argparse.ArgumentParser()
    add_subject(parser)
    return parser.parse_args(words)


def test_words_go_over_settings(tmp_path):
    """The file names data and a bound; the command line changes the bound."""
    file = tmp_path / "b.toml"
    file.write_text('[lab]\ndata = "d.npz"\nepsilon = 0.3\nlow = -1.0\n')
    lab = subject(parsed("--config", str(file), "--epsilon", "0.2", "--shape", "1,8,8"))
    assert (lab.data, lab.epsilon, lab.low, lab.shape) == ("d.npz", 0.2, -1.0, (1, 8, 8))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no data"),
        (("--data", "d.npz", "--shape", "a,b"), "whole numbers"),
        (("--data", "d.npz", "--epsilon", "-1"), "expected epsilon"),
        (("--data", "d.npz", "--low", "2"), "low < high"),
    ],
)
def test_what_cannot_be_used_is_refused(tmp_path, monkeypatch, words, said):
    """Each with its own words."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadSettings, match=said):
        subject(parsed(*words))


def test_the_folder_is_made_and_the_bar_goes_to_standard_error(tmp_path, capsys):
    """Standard output stays the result's."""
    assert folder(tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadSettings, match="cannot be made"):
        folder(tmp_path / "file")
    with bar() as told:
        told("working", 1, 2)
    said = capsys.readouterr()
    assert said.out == ""
    assert "working" in said.err


def test_a_log_gets_a_line_for_each_kind_of_work_and_no_more(capsys):
    """A thousand steps in a moment are no thousand lines; a failed command says nothing before its error."""
    with bar() as told:
        for number in range(1000):
            told("training", number, 1000)
        told("asking", 0, 1)
    assert capsys.readouterr().err == "training 0/1000\nasking 0/1\n"
    with pytest.raises(BadSettings), bar():
        raise BadSettings("nothing to read")
    assert capsys.readouterr().err == ""


def test_who_stops_the_work_is_told_that_it_goes_on(capsys):
    """Only where it does."""
    for again in (GOES_ON, ""):
        with pytest.raises(KeyboardInterrupt), bar(again):
            raise KeyboardInterrupt
        assert capsys.readouterr().err.strip() == again
