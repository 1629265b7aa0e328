"""Fuzzes the parsers of `bartizan scan` with coverage guidance; any exception or hang is a crash.

Needs atheris in an environment of its own beside the base install (`pip install atheris -r requirements/base.txt`):
`PYTHONPATH=src python bench/fuzz_scan.py 600 600 --jobs 2`: 600 seconds of whole files under many names, then as many
of each parser on its own; names of parsers after that fuzz those alone. Seconds are CPU seconds inside the fuzzer,
without its start, so a busy machine changes only how long it takes. It can be stopped and called again: what the
result already has for the code as committed is not done twice, and the corpus that was found is kept in build/fuzz,
crashes too. Seeds are our own corpora. Result: bench/results/fuzz.json.
"""

import argparse
import contextlib
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["bartizan.supply"]):
    from bartizan.supply import (
        containers,
        coreml_models,
        hdf5_files,
        keras_configs,
        model_configs,
        onnx_graphs,
        pmml_models,
        skops_files,
        tensorflow_graphs,
        tensors,
        tflite_models,
        torch_archives,
    )
    from bartizan.supply.agents import mcp_servers, skills, tool_descriptions
    from bartizan.supply.base import Budget, LimitReached
    from bartizan.supply.chat_templates import chat_template
    from bartizan.supply.packages import dependencies, javascript_code, python_code
    from bartizan.supply.pickles import scan_pickle
    from bartizan.supply.scan import scan_bytes
    from bartizan.supply.texts import notebook_findings

from bartizan.lab.hostile_agents import honest_agents, hostile_agents
from bartizan.lab.hostile_artefacts import benign, hostile
from bartizan.lab.hostile_formats import honest_formats, hostile_formats
from bartizan.lab.hostile_packages import honest_packages, hostile_packages

RESULT = Path(__file__).parent / "results" / "fuzz.json"
BUILD = Path("build/fuzz")
CODE = "src/bartizan/supply"
ROUND_S = 60
"""CPU seconds of a process; atheris slows down in one that grows old."""
HANG_S = 20
"""CPU seconds that one input may take: twice its budget."""
ENOUGH_CRASHES = 3
NAMES = ("x", "x.pkl", "SKILL.md", "requirements.txt", "uv.lock", "package-lock.json", "mcp.json", "x.py", "x.js",
         "x.pth", "config.json", "chat_template.jinja", "x.npy", "x.yaml", "x.ipynb")  # fmt: skip


def budget():
    """Return what one input may cost."""
    return Budget(seconds=10, output_bytes=1 << 24)


def text(data):
    """Return the input as text."""
    return data.decode("utf-8", "replace")


def zipped(data):
    """Read every member."""
    found = []
    for _ in containers.zip_members(memoryview(data), "x", budget(), found):
        pass


def tarred(data):
    """Read every file."""
    for _ in containers.tar_members(memoryview(data), "x", budget(), []):
        pass


def unpacked(kind):
    """Return a target for a compression; ValueError is its answer to damage."""

    def target(data):
        with contextlib.suppress(ValueError):
            containers.unpacked(memoryview(data), kind, budget())

    return target


def configs(data):
    """Read the input as JSON and as YAML."""
    model_configs.json_findings(text(data), "x.json")
    model_configs.yaml_findings(text(data), "x.yaml")


def whole(data):
    """Scan a file under the name that its first byte picks."""
    if data:
        scan_bytes(memoryview(data[1:]), NAMES[data[0] % len(NAMES)], budget())


PARSERS = {
    "pickle": lambda data: scan_pickle(memoryview(data), "x", budget()),
    "zip": zipped,
    "tar": tarred,
    "gzip": unpacked("gzip"),
    "lzma": unpacked("lzma"),
    "lz4": unpacked("lz4"),
    "safetensors": lambda data: tensors.is_safetensors(memoryview(data)) and tensors.safetensors(memoryview(data), "x"),
    "gguf": lambda data: tensors.gguf(memoryview(b"GGUF" + data), "x", budget()),
    "numpy": lambda data: tensors.numpy_file(memoryview(b"\x93NUMPY" + data), "x", budget()),
    "chat template": lambda data: chat_template(text(data), "x"),
    "model configs": configs,
    "notebook": lambda data: notebook_findings(text(data), "x.ipynb"),
    "hdf5": lambda data: hdf5_files.walk(memoryview(hdf5_files.MAGIC + data), "x", budget()),
    "keras": lambda data: keras_configs.keras_config(data, "x"),
    "saved model": lambda data: tensorflow_graphs.saved_model(memoryview(data), "x", budget()),
    "onnx": lambda data: onnx_graphs.onnx(memoryview(data), "x", budget()),
    "coreml": lambda data: coreml_models.coreml(memoryview(data), "x", budget()),
    "tflite": lambda data: tflite_models.tflite(memoryview(data), "x", budget()),
    "skops": lambda data: skops_files.skops_findings(data, "x"),
    "torchscript": lambda data: torch_archives.script_findings(data, "x"),
    "pmml": lambda data: pmml_models.pmml_findings(data, "x"),
    "requirements": lambda data: dependencies.scan_requirements(text(data), "requirements.txt"),
    "python": lambda data: python_code.python_findings(data, "x.py", eager=True),
    "javascript": lambda data: javascript_code.javascript_findings(data, "x.js"),
    "skill": lambda data: skills.scan_skill(text(data), "SKILL.md"),
    "mcp servers": lambda data: mcp_servers.scan_servers(text(data), "mcp.json"),
    "tools": lambda data: tool_descriptions.scan_tools(text(data), "tools.json"),
}
"""Each parser with what it may answer; LimitReached is an answer for all."""
_PREFIXED = {"gguf": 4, "numpy": 6, "hdf5": 8}


def samples():
    """Return every file of our corpora."""
    models = [*hostile(), *benign(), *hostile_formats(), *honest_formats()]
    return [*models, *hostile_packages(), *honest_packages(), *hostile_agents(), *honest_agents()]


def seeds(parser, folder):
    """Write the corpora as seeds: for whole files with a byte for the name in front."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, sample in enumerate(samples()):
        which = next((at for at, name in enumerate(NAMES) if sample.name.endswith(name) and name != "x"), 0)
        data = bytes([which]) + sample.data if parser == "whole" else sample.data[_PREFIXED.get(parser, 0) :]
        (folder / f"{number:04d}").write_bytes(data)


def fuzz(parser, seconds):
    """Fuzz one parser in this process until it has used so much CPU, then end the process."""
    folder = BUILD / parser.replace(" ", "-")
    seeds(parser, folder / "corpus")
    target = whole if parser == "whole" else PARSERS[parser]
    began = time.process_time()
    runs = 0

    def one(data):
        nonlocal runs
        start = time.process_time()
        with contextlib.suppress(LimitReached):
            target(data)
        runs += 1
        now = time.process_time()
        if now - start > HANG_S:
            raise RuntimeError(f"{now - start:.0f} s for one input")
        if now - began > seconds:
            print(f"did {runs} runs", file=sys.stderr, flush=True)
            os._exit(0)

    # What is measured here is CPU; libFuzzer's own watch goes by the clock and ends only an input that never returns.
    words = [sys.argv[0], "-timeout=1200", "-report_slow_units=1200", "-rss_limit_mb=4096", "-max_len=20000"]
    atheris.Setup([*words, f"-artifact_prefix={folder}/crash-", str(folder / "corpus")], one)
    print(f"started after {began} s", file=sys.stderr, flush=True)
    atheris.Fuzz()


def measured_round(parser, seconds):
    """Fuzz one parser in a process of its own; return what it did and whether it crashed."""
    command = [sys.executable, __file__, "--only", parser, str(seconds)]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        said = errors.read().decode("utf-8", "replace")
    started = re.search(r"started after ([\d.]+) s", said)
    if not started:
        sys.exit(f"{parser} did not start:\n{said[-3000:]}")
    runs = re.findall(r"^did (\d+) runs$", said, re.MULTILINE) or re.findall(r"^#(\d+)\t", said, re.MULTILINE)
    edges = re.findall(r"cov: (\d+)", said)
    if process.returncode:
        print(parser, said[-3000:], flush=True)
    return {
        "cpu_s": usage.ru_utime + usage.ru_stime - float(started[1]),
        "runs": int(runs[-1]) if runs else 0,
        "edges": int(edges[-1]) if edges else 0,
        "crashes": int(process.returncode != 0),
    }


class Results:
    """The result file: each parser with what was done on which code."""

    def __init__(self, code):
        self.code = code
        self.lock = threading.Lock()
        self.kept = json.loads(RESULT.read_text())["parsers"] if RESULT.exists() else {}

    def of(self, parser):
        """Return what was done on this code."""
        done = self.kept.get(parser, {})
        nothing = {"code": self.code, "cpu_s": 0.0, "runs": 0, "edges": 0, "crashes": 0}
        return done if done.get("code") == self.code else nothing

    def add(self, parser, more):
        """Add a round and write the file."""
        with self.lock:
            done = self.of(parser)
            total = {what: done[what] + more[what] for what in ("cpu_s", "runs", "crashes")}
            edges = max(done["edges"], more["edges"])
            self.kept[parser] = {"code": self.code, **total, "cpu_s": round(total["cpu_s"], 1), "edges": edges}
            self.kept = {one: self.kept[one] for one in ("whole", *PARSERS) if one in self.kept}
            about = {"python": platform.python_version(), "atheris": version("atheris")}
            fresh = RESULT.with_suffix(".new")
            fresh.write_text(json.dumps({**about, "parsers": self.kept}, indent=2) + "\n")
            fresh.replace(RESULT)


def finish(parser, seconds, results):
    """Fuzz one parser, a round after the other on the same corpus, until it has had its seconds or crashes on."""
    crashes = 0
    while (left := seconds - results.of(parser)["cpu_s"]) > 0 and crashes < ENOUGH_CRASHES:
        one = measured_round(parser, min(ROUND_S, left))
        crashes += one["crashes"]
        results.add(parser, one)
    print(parser, json.dumps(results.of(parser)), flush=True)


def code_as_committed():
    """Return git's name for the content of the parsers' folder; changes that are not committed have none."""
    if subprocess.run(["git", "status", "--porcelain", CODE], capture_output=True, check=True).stdout:
        sys.exit(f"{CODE} has changes that are not committed: a result must say what it is of")
    named = subprocess.run(["git", "rev-parse", f"HEAD:{CODE}"], capture_output=True, text=True, check=True)
    return named.stdout.strip()


def main():
    """Fuzz everything, or the parsers that are named; write and print."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("whole_s", type=int)
    words.add_argument("each_s", type=int)
    words.add_argument("parsers", nargs="*", metavar="PARSER")
    words.add_argument("--jobs", type=int, default=1)
    asked = words.parse_args()
    parsers = asked.parsers or ("whole", *PARSERS)
    if unknown := set(parsers) - {"whole", *PARSERS}:
        words.error(f"no parser {sorted(unknown)}: {', '.join(('whole', *PARSERS))}")
    results = Results(code_as_committed())
    seconds = {one: asked.whole_s if one == "whole" else asked.each_s for one in parsers}
    with ThreadPoolExecutor(asked.jobs) as pool:
        running = [pool.submit(finish, one, seconds[one], results) for one in parsers]
    for one in running:
        one.result()
    return any(results.of(one)["crashes"] for one in parsers)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--only"]:
        fuzz(sys.argv[2], float(sys.argv[3]))
    else:
        sys.exit(main())
