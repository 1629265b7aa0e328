"""Admission and verification at size: memory, speed, and what kill -9 costs. `make bench-admit`; about 15 minutes.

`--gigabytes 0.5` makes it short. Rows are JSON lines of about 530 bytes, different from each other. The admission runs
as the command does, is killed with SIGKILL at random moments, and its result is compared byte for byte with that of a
run that nobody disturbed. The rows are no language, so the detectors may flag some: what is held is released with all
its rows, as a person would who has looked at it.
"""

import argparse
import hashlib
import json
import os
import platform
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

from bartizan import __version__
from bartizan.data.store import Store, verifier_key
from bartizan.data.verification import verify

RESULT = Path(__file__).parent / "results" / "admit.json"
SEED = 20261124
SOURCES = str(Path(__file__).parent.parent / "src")
BARTIZAN = [
    sys.executable,
    "-c",
    f"import sys; sys.path.insert(0, {SOURCES!r}); from bartizan.cli.main import run; run()",
]
WORDS = [
    "the",
    "a",
    "film",
    "was",
    "good",
    "bad",
    "great",
    "terrible",
    "plot",
    "actor",
    "scene",
    "music",
    "story",
    "ending",
    "script",
    "boring",
    "fine",
    "lovely",
]


def write_rows(path, size):
    """Write JSON lines until the file has `size` bytes; return how many."""
    rng = np.random.default_rng(SEED)
    pool = [" ".join(rng.choice(WORDS, 40)) for _ in range(4000)]
    rows = 0
    with path.open("wb") as file:
        while file.tell() < size:
            picks = rng.integers(0, len(pool), (20_000, 2)).tolist()
            lines = [
                f'{{"id": {rows + n}, "text": "{pool[a]} {pool[b]}", "label": {n % 3}}}\n'
                for n, (a, b) in enumerate(picks)
            ]
            file.write("".join(lines).encode())
            rows += len(lines)
    return rows


def admit(folder, path, name, kill_after=None):
    """Run the command in `folder`; kill it after some seconds. Return (finished, peak memory in bytes, seconds)."""
    command = [*BARTIZAN, "data", "admit", str(path), "--name", name, "--source", "bench"]
    start = time.perf_counter()
    process = subprocess.Popen([*command, "--label", "label"], cwd=folder, stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, high_water(process.pid))
        if kill_after is not None and time.perf_counter() > start + kill_after:
            process.send_signal(signal.SIGKILL)
            process.wait()
        time.sleep(0.05)
    seconds = time.perf_counter() - start
    return process.returncode >= 0 and admitted(folder, name), peak, seconds


def admitted(folder, name):
    """Release `name` if it is held; return whether it is in the trusted store then."""
    if not (folder / "bartizan-data/data" / name / "v1").exists():
        release = [*BARTIZAN, "data", "release", name, "--who", "bench", "--why", "rows of word lists, no language"]
        subprocess.run(release, cwd=folder, stdout=subprocess.DEVNULL)
    return (folder / "bartizan-data/data" / name / "v1/manifest.json").exists()


def high_water(pid):
    """Return the peak memory of a process so far (not that of its parent, which getrusage would count too)."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0)


def admission(folder, gigabytes):
    """Admit once undisturbed and once with kills; compare."""
    path = folder / "big.jsonl"
    rows = write_rows(path, int(gigabytes * 1e9))
    done, peak, seconds = admit(folder, path, "calm")
    if not done:
        raise SystemExit("the admission failed")
    chance = random.Random(SEED)
    kills, peaks, total = 0, [], 0.0
    while True:
        limit = chance.uniform(0.15, 0.5) * seconds if kills < 4 else None
        finished, one, took = admit(folder, path, "killed", limit)
        total += took
        peaks.append(one)
        if finished:
            break
        kills += 1
    calm, killed = folder / "bartizan-data/data/calm/v1", folder / "bartizan-data/data/killed/v1"
    same = all(
        digest(calm / part) == digest(killed / part)
        for part in ("shards.jsonl", "rows.bin", "keys.bin", "labels.bin", "sample.jsonl", "data/big.jsonl")
    )
    found = json.loads((killed / "manifest.json").read_bytes())
    ledger = subprocess.run([*BARTIZAN, "ledger", "show"], cwd=folder, capture_output=True, text=True, check=True)
    return {
        "bytes": path.stat().st_size,
        "rows": rows,
        "seconds": seconds,
        "megabytes_per_s": path.stat().st_size / 1e6 / seconds,
        "peak_rss_bytes": peak,
        "kills": kills,
        "seconds_with_kills": total,
        "peak_rss_bytes_of_killed_runs": max(peaks),
        "rows_after_kills": found["rows"],
        "records_in_ledger": ledger.stdout.count("data-admitted"),
        "same_bytes_as_undisturbed": same,
    }


def digest(path):
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verification(folder):
    """Verify 1 GB untouched, and with 100 rows changed and 100 removed; say whether each was named."""
    path = folder / "one.jsonl"
    write_rows(path, 1_000_000_000)
    if not admit(folder, path, "one")[0]:
        raise SystemExit("the admission failed")
    key = verifier_key(folder / "bartizan-data/data.key")
    manifest = Store(folder / "bartizan-data/data", key).open("one")
    times = []
    for _ in range(3):
        start = time.perf_counter()
        result = verify(manifest, path)
        times.append(time.perf_counter() - start)
        if result.differences:
            raise SystemExit("an untouched file does not verify")
    lines = path.read_bytes().split(b"\n")
    rng = np.random.default_rng(SEED)
    chosen = sorted(rng.choice(len(lines) - 2, 300, replace=False).tolist())
    for at in chosen[0::3]:
        lines[at] = lines[at].replace(b"label", b"lebal")
    gone = chosen[1::3]
    moved_up = {at - sum(one < at for one in gone) for at in chosen[0::3]}  # a changed row is named by where it is now
    for at in reversed(gone):
        del lines[at]
    path.write_bytes(b"\n".join(lines))
    start = time.perf_counter()
    wrong = verify(manifest, path).differences
    seconds = time.perf_counter() - start
    removed, changed = (
        {int(one.row.split()[1]) - 1 for one in wrong if one.rule == rule} for rule in ("removed", "changed")
    )
    return {
        "bytes": 1_000_000_000,
        "seconds": times,
        "megabytes_per_s": [1000 / one for one in times],
        "seconds_with_200_edits": seconds,
        "edits": 200,
        "removed_rows_named": len(removed & set(gone)),
        "changed_rows_named": len(changed & moved_up),
        "reports": len(wrong),
    }


def main():
    """Measure, write the result, print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=5.0)
    parser.add_argument("--folder", type=Path, help="where to work (default: a temporary folder)")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="admit-", dir=args.folder))
    try:
        result = {
            "bartizan": __version__,
            "python": platform.python_version(),
            "polars": version("polars"),
            "cores": os.cpu_count(),
            "seed": SEED,
            "verification": verification(folder),
            "admission": admission(folder, args.gigabytes),
        }
    finally:
        shutil.rmtree(folder)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))
    grown = result["admission"]
    return 0 if grown["same_bytes_as_undisturbed"] and grown["rows_after_kills"] == grown["rows"] else 1


if __name__ == "__main__":
    sys.exit(main())
