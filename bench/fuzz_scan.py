"""Fuzzes the parsers of `bartizan scan` with coverage guidance; any exception or hang is a crash.

Needs atheris in an environment of its own beside the base install (`pip install atheris -r requirements/base.txt`):
`PYTHONPATH=src python bench/fuzz_scan.py 600 60`: 600 seconds of whole files under many names, then 60 seconds of
each parser on its own; names of parsers after that repeat those alone. Seeds are our own corpora. Result:
bench/results/fuzz.json; a crash is kept in build/fuzz.
"""

import contextlib
import json
import platform
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["bartizan.supply"]):
    from bartizan.supply import (
        containers,
        coreml_models,
        hdf5_files,
        keras_configs,
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
    from bartizan.supply.packages import dependencies, javascript_code, python_code
    from bartizan.supply.pickles import scan_pickle
    from bartizan.supply.scan import scan_bytes

from bartizan.lab.hostile_agents import honest_agents, hostile_agents
from bartizan.lab.hostile_artefacts import benign, hostile
from bartizan.lab.hostile_formats import honest_formats, hostile_formats
from bartizan.lab.hostile_packages import honest_packages, hostile_packages

RESULT = Path(__file__).parent / "results" / "fuzz.json"
BUILD = Path("build/fuzz")
ROUND_S = 50
NAMES = ("x", "x.pkl", "SKILL.md", "requirements.txt", "uv.lock", "package-lock.json", "mcp.json", "x.py", "x.js",
         "x.pth", "config.json", "chat_template.jinja")  # fmt: skip


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
    "chat template": lambda data: tensors.chat_template(text(data), "x"),
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
    """Fuzz one parser in this process; libFuzzer ends the process itself."""
    folder = BUILD / parser.replace(" ", "-")
    seeds(parser, folder / "corpus")
    target = whole if parser == "whole" else PARSERS[parser]

    def one(data):
        with contextlib.suppress(LimitReached):
            target(data)

    words = [sys.argv[0], f"-max_total_time={seconds}", "-timeout=30", "-rss_limit_mb=4096", "-max_len=20000"]
    atheris.Setup([*words, f"-artifact_prefix={folder}/crash-", str(folder / "corpus")], one)
    atheris.Fuzz()


def measured(parser, seconds):
    """Fuzz one parser in processes of its own, a round after the other on the same corpus; return what they did."""
    total = {"seconds": 0, "runs": 0, "edges": 0, "crashes": 0}
    for start in range(0, seconds, ROUND_S):
        command = [sys.executable, __file__, "--only", parser, str(min(ROUND_S, seconds - start))]
        done = subprocess.run(command, capture_output=True, text=True, check=False, errors="replace")
        runs = re.findall(r"Done (\d+) runs in (\d+) second", done.stderr)
        coverage = re.findall(r"cov: (\d+)", done.stderr)
        if done.returncode or not runs:
            print(done.stderr[-3000:], flush=True)
            total["crashes"] += 1
        else:
            total["seconds"] += int(runs[-1][1])
            total["runs"] += int(runs[-1][0])
            total["edges"] = max(total["edges"], int(coverage[-1]) if coverage else 0)
    return total


def main(whole_s, each_s, only):
    """Fuzz everything, or the parsers that are named; write and print."""
    result = {"python": platform.python_version(), "atheris": version("atheris"), "parsers": {}}
    if only:
        result["parsers"] = json.loads(RESULT.read_text())["parsers"]
    for parser in only or ("whole", *PARSERS):
        result["parsers"][parser] = measured(parser, whole_s if parser == "whole" else each_s)
        print(parser, json.dumps(result["parsers"][parser]), flush=True)
        RESULT.write_text(json.dumps(result, indent=2) + "\n")
    return any(one["crashes"] for one in result["parsers"].values())


if __name__ == "__main__":
    if sys.argv[1] == "--only":
        fuzz(sys.argv[2], int(sys.argv[3]))
    else:
        sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
