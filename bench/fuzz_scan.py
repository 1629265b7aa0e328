"""Fuzzes every parser of `bartizan scan` with coverage guidance; any exception or hang is a crash.

Needs atheris in an environment of its own: `pip install atheris` beside the base install, then
`PYTHONPATH=src python bench/fuzz_scan.py -max_total_time=600 -timeout=20 build/fuzz`. The seeds are our own corpora.
"""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["bartizan.supply"]):
    from bartizan.supply.base import Budget
    from bartizan.supply.scan import scan_bytes

from bartizan.lab.hostile_agents import honest_agents, hostile_agents
from bartizan.lab.hostile_artefacts import benign, hostile
from bartizan.lab.hostile_formats import honest_formats, hostile_formats
from bartizan.lab.hostile_packages import honest_packages, hostile_packages

NAMES = (
    "x",
    "x.pkl",
    "SKILL.md",
    "requirements.txt",
    "uv.lock",
    "package-lock.json",
    "mcp.json",
    "x.py",
    "x.js",
    "x.pth",
    "config.json",
    "chat_template.jinja",
)


def one(data):
    """Scan the rest of the input under the name that its first byte picks."""
    if data:
        scan_bytes(memoryview(data[1:]), NAMES[data[0] % len(NAMES)], Budget(seconds=10, output_bytes=1 << 24))


def seeds(folder):
    """Write the corpora as seeds, each under the name that fits it best."""
    folder.mkdir(parents=True, exist_ok=True)
    samples = [*hostile(), *benign(), *hostile_formats(), *honest_formats()]
    samples += [*hostile_packages(), *honest_packages(), *hostile_agents(), *honest_agents()]
    for number, sample in enumerate(samples):
        which = next((at for at, name in enumerate(NAMES) if sample.name.endswith(name) and name != "x"), 0)
        (folder / f"{number:04d}").write_bytes(bytes([which]) + sample.data)


if __name__ == "__main__":
    seeds(Path(sys.argv[-1]))
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
