"""The reference model: really starts, really answers, stops with its parent, and is refused when its file changed."""

import importlib.metadata
import os
import subprocess
import sys
import time
from contextlib import closing

import pytest

from bartizan.core.errors import BadArtifact, BadSettings, UpstreamFailed
from bartizan.lab import reference
from bartizan.lab.benign import Benign
from bartizan.lab.chat import Answered, HttpChat, RequestBudget


def test_it_answers_an_easy_question_and_stops():
    """A real model behind a real server, gone when the block ends."""
    asked = Benign("x", "What is the capital of France?").prompt()
    with reference.running() as url, closing(HttpChat(url, reference.MODEL, RequestBudget(3))) as chat:
        assert chat.models() == [reference.MODEL]
        outcome = chat.ask(asked)
        assert isinstance(outcome, Answered)
        assert "Paris" in outcome.reply.text
    with closing(HttpChat(url, reference.MODEL, RequestBudget(3))) as chat:
        assert not isinstance(chat.ask(asked), Answered)


def test_it_does_not_outlive_its_parent():
    """When standard input ends, so does the server: no orphan keeps a core busy."""
    command = [sys.executable, "-m", "bartizan", "reference", "--until-input-ends"]
    env = {**os.environ, "PYTHONPATH": "src"}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
    assert process.stdout.readline().startswith("reference model listens at http://127.0.0.1:")
    process.stdin.close()
    assert process.wait(20) == 0
    process.stdout.close()


def test_a_missing_package_says_what_to_do(monkeypatch):
    """The hint names the way out."""
    monkeypatch.setattr(reference, "PACKAGE", "no-such-package-of-models")
    with pytest.raises(BadSettings, match="not installed") as caught:
        reference.model_path()
    assert "--target" in caught.value.hint()


def test_a_changed_model_file_is_refused(monkeypatch):
    """One wrong digit in the digest is enough."""
    monkeypatch.setattr(reference, "SHA256", "0" * 64)
    with pytest.raises(BadArtifact, match="SHA-256 is b179"):
        reference.model_path()


def test_a_server_that_cannot_start_is_an_error_not_a_hang(monkeypatch):
    """The child's exit ends the wait."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    begun = time.monotonic()
    with pytest.raises(UpstreamFailed, match="did not start"), reference.running():
        pass
    assert time.monotonic() - begun < 30


def test_threads_are_those_this_process_may_use():
    """At least one."""
    assert reference.default_threads() >= 1
    assert importlib.metadata.version(reference.PACKAGE)
