"""Sets the stage of an assessment: the target, the gateway in front of it, and nothing left behind.

Without a target of the user's own the embedded reference model is started. The gateway runs as a process of its own,
the way an operator runs it, on a free loopback port; it writes to the same ledger as the assessment.
"""

import re
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from bartizan.core import settings
from bartizan.core.errors import UpstreamFailed
from bartizan.core.sections import Settings
from bartizan.core.sections.assess import Assess
from bartizan.core.sections.gateway import Upstream
from bartizan.lab import reference
from bartizan.lab.chat import HttpChat, RequestBudget
from bartizan.threats.assessment import Subject

_READY = re.compile(r"listening on (http://[^\s/]+)")
_START_S = 60.0


@dataclass(frozen=True)
class Stage:
    """The target without and with the gateway, and the cap on requests to it that both share."""

    subject: Subject
    bare: HttpChat
    guarded: HttpChat
    budget: RequestBudget


def subject_of(configured: Settings) -> Subject:
    """Return what will be attacked. Raises UpstreamFailed when an endpoint of the user's own lists no model."""
    plan = configured.assess
    if not plan.target:
        about = "the embedded reference model SmolLM2-135M-Instruct: real, but weak; the figures speak of it only"
        return Subject("embedded", reference.MODEL, True, about)
    with closing(HttpChat(plan.target, plan.model, RequestBudget(1), api_key=_key(plan))) as asking:
        model = plan.model or asking.models()[0]
    return Subject(plan.target, model, False, "an OpenAI-compatible endpoint named by the user")


def _key(plan: Assess) -> str:
    return settings.secret(plan.api_key_env, "", "assess.api_key_env") if plan.api_key_env else ""


@contextmanager
def set_up(configured: Settings, spent: int = 0) -> Iterator[Stage]:
    """Start what the `assess` section of the settings needs and stop it again, whatever happens in between.

    `spent` requests of the cap are gone already: to a run of the same assessment that was interrupted.
    """
    plan = configured.assess
    with ExitStack() as stack:
        budget = RequestBudget(plan.cap(), spent)
        key = _key(plan)
        subject = subject_of(configured)
        url, model = plan.target or stack.enter_context(reference.running()), subject.model
        front = stack.enter_context(gateway(configured, url))
        bare, guarded = HttpChat(url, model, budget, api_key=key), HttpChat(front, model, budget)
        stack.callback(bare.close)
        stack.callback(guarded.close)
        yield Stage(subject, bare, guarded, budget)


@contextmanager
def gateway(configured: Settings, upstream: str) -> Iterator[str]:
    """Run `bartizan serve` in front of `upstream`, yield its base URL. Raises UpstreamFailed if it does not start."""
    with tempfile.TemporaryDirectory(prefix="bartizan-") as folder:
        config = Path(folder) / "bartizan.toml"
        config.write_text(_gateway_config(configured, upstream), encoding="utf-8")
        command = [sys.executable, "-m", "bartizan", "serve", "--config", str(config)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # noqa: S603
        said: deque[str] = deque(maxlen=20)
        ready = threading.Event()
        reader = threading.Thread(target=_read, args=(process, said, ready), daemon=True)
        reader.start()
        try:
            ready.wait(_START_S)
            found = _READY.search("".join(said))
            if not found:
                raise UpstreamFailed(f"the gateway did not start: {''.join(said).strip() or 'it said nothing'}")
            yield found[1]
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            reader.join()
            if process.stdout is not None:
                process.stdout.close()


def _read(process: "subprocess.Popen[str]", said: "deque[str]", ready: threading.Event) -> None:
    """Keep the gateway's last lines, so that its pipe never fills, and say when it listens or has gone."""
    for line in process.stdout or ():
        said.append(line)
        if _READY.search(line):
            ready.set()
    ready.set()


def _gateway_config(configured: Settings, upstream: str) -> str:
    """Return the operator's own settings with the target behind them, on a free port, open to loopback only."""
    behind = Upstream(
        name="target", url=upstream.rstrip("/").removesuffix("/v1"), api_key_env=configured.assess.api_key_env
    )
    edge = replace(configured.gateway, host="127.0.0.1", port=0, api_key_env="", api_key_file="", upstreams=(behind,))
    kept = configured.ledger
    ledger = replace(
        kept,
        directory=str(Path(kept.directory).resolve()),
        checkpoint_file=str(Path(kept.checkpoint_file).resolve()),
    )
    return settings.written(replace(configured, gateway=edge, ledger=ledger))
