"""`bartizan lab width` asks, tells what leaks and what it cost, writes a page, and refuses what it cannot ask."""

import json

import pytest

from bartizan.cli.main import main
from bartizan.lab.language_model import LanguageModel, served


def test_the_width_the_questions_and_the_price_are_told(tmp_path, capsys, monkeypatch):
    """Over HTTP, with a key from the environment; a second run asks only what the API tells."""
    monkeypatch.setenv("WIDE_KEY", "secret")
    model = LanguageModel(40, most=300, key="secret")
    with served(model) as url:
        words = ["lab", "width", f"{url}/v1", "--model", "wide", "--api-key-env", "WIDE_KEY", "--price-input", "2"]
        assert main([*words, "--output", str(tmp_path)]) == 0
        shown = capsys.readouterr().out
        first = len(model.asked)
        assert main([*words, "--output", str(tmp_path), "--json"]) == 0
    assert "leaks: The model is 40 wide" in " ".join(shown.split())
    assert "dollars" in shown
    assert "--no-logprobs --no-logit-bias" in shown
    said = json.loads(capsys.readouterr().out)
    assert (said["width"], said["questions"]) == (40, len(model.asked))
    assert said["questions of this run"] == len(model.asked) - first < 10 < first
    assert said["dollars"] == pytest.approx(2e-6 * said["tokens in"])
    assert said == json.loads((tmp_path / "width.json").read_text())
    assert "<svg" in (tmp_path / "width.html").read_text()
    assert "secret" not in shown + (tmp_path / "width.html").read_text()


def test_an_api_that_does_not_leak_is_told_so(tmp_path, capsys):
    """With what it was asked; the model's name is the first that the API lists."""
    with served(LanguageModel(40, most=5, bias="ignored")) as url:
        assert main(["lab", "width", url, "--output", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "none: Only the likeliest 5 tokens are told" in " ".join(shown.split())
    assert json.loads((tmp_path / "width.json").read_text())["model"] == "wide"


@pytest.mark.parametrize(
    "bad",
    [
        ["ftp://x"],
        ["--max-requests", "3"],
        ["--max-dollars", "1"],
        ["--price-input", "-1"],
        ["--api-key-env", "NONE_1"],
    ],
)
def test_what_cannot_be_asked_is_refused(bad, tmp_path, capsys):
    """With a reason, and exit code 2."""
    where = [] if bad[0].startswith("ftp") else ["http://127.0.0.1:9"]
    assert main(["lab", "width", *where, *bad, "--model", "m", "--output", str(tmp_path)]) == 2
    assert "bartizan:" in capsys.readouterr().err
