"""Detection, honest files and speed of `bartizan scan` beside three peers, on the same files in one run.

`make bench-scan`. The peers are installed into a virtual environment of their own under build/ (versions pinned below).
The hostile corpora are ours (lab/hostile_artefacts.py, lab/hostile_formats.py) and 1,000 calls of standard-library
functions drawn with a seed; peers' own test files are not used. Honest ones are ours, made on the spot by the
libraries, and models that PyPI packages ship (scan_corpora.py). A peer passes a file when its exit code would be 0.
Large files are scanned in a process each, three times; `cpu_s` is processor time, which a busy machine disturbs less
than `wall_s`. Parts can be run again by name while the rest of the result stays:
`make bench-scan ARGS="--only 'many files'"`.
"""

import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import scan_corpora

from bartizan import __version__
from bartizan.core.measures import proportion
from bartizan.supply.base import Verdict
from bartizan.supply.jobs import scan_paths
from bartizan.supply.scan import scan_path

SEED = scan_corpora.SEED
PEERS = ("picklescan==1.0.5", "modelscan==0.8.8", "fickling==0.1.12", "typing_extensions")
MAKERS = ("scikit-learn", "lightgbm", "xgboost-cpu", "joblib")
RESULT = Path(__file__).parent / "results" / "scan.json"
BUILD = Path("build/peers")
LONGEST_S = 300
"""A peer that has not read a large file by then has no figure."""
SAID = {Verdict.CLEAN: "pass", Verdict.REVIEW: "review", Verdict.UNREADABLE: "error", Verdict.BLOCK: "flag"}

PEER_SCRIPT = """
import json, pathlib, sys, time, logging, contextlib, io
logging.disable(logging.CRITICAL)
tool, *paths = sys.argv[1:]
if tool == "picklescan":
    from picklescan.scanner import scan_file_path
    def judge(path):
        result = scan_file_path(path)
        return "flag" if result.infected_files else "error" if result.scan_err else "pass"
elif tool == "fickling":
    from fickling.analysis import Severity, check_safety
    from fickling.fickle import StackedPickle
    def judge(path):
        with open(path, "rb") as file:
            stack = StackedPickle.load(file)
        return "flag" if any(check_safety(one).severity > Severity.LIKELY_SAFE for one in stack) else "pass"
else:
    from modelscan.modelscan import ModelScan
    def judge(path):
        result = ModelScan().scan(path)
        return "flag" if result["issues"] else "error" if result["errors"] else "pass"
if pathlib.Path(paths[0]).is_dir():
    paths = sorted(map(str, pathlib.Path(paths[0]).iterdir()))
for path in paths:
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            said = judge(path)
    except BaseException as error:
        said = "error"
    spent = time.perf_counter() - wall, time.process_time() - cpu
    peak = int(pathlib.Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) // 1024
    print(json.dumps([pathlib.Path(path).name, said, *spent, peak]), flush=True)
"""


def peer_python():
    """Return the Python of the peers' virtual environment, made on first use."""
    python = BUILD / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(BUILD)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *PEERS, *MAKERS, "numpy"], check=True)
    return python


def ours(folder):
    """Return our verdict for each file."""
    return {path.name: SAID[next(iter(scan_path(path))).verdict] for path in sorted(folder.iterdir())}


def peer(tool, folder):
    """Return a peer's verdicts; one process for the whole folder, so that its start does not count."""
    command = [str(peer_python()), "-c", PEER_SCRIPT, tool, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('["')]
    return {row[0]: row[1] for row in rows}


def figures(said):
    """Return counts, and the shares that pass and that are flagged with their intervals."""
    kinds = {kind: list(said.values()).count(kind) for kind in ("flag", "review", "error", "pass")}
    shares = {kind: proportion(kinds[kind], len(said), seed=SEED) for kind in ("pass", "flag")}
    named = {f"{kind} share": [one.value, one.low, one.high] for kind, one in shares.items()}
    return {"n": len(said), **kinds, **named}


def large(folder):
    """Return for each large file and tool what it said, its times and its peak memory."""
    result = {}
    for path in sorted(folder.iterdir()):
        result[path.name] = {"bytes": path.stat().st_size}
        for tool in ("bartizan", "picklescan", "modelscan"):
            rows = [row for _ in range(3) if (row := timed(tool, path)) is not None]
            if len(rows) < 3:
                result[path.name][tool] = {"over_s": LONGEST_S}
                continue
            walls, cpus = [row[2] for row in rows], [row[3] for row in rows]
            result[path.name][tool] = {
                "verdict": rows[0][1],
                "wall_s": [min(walls), statistics.median(walls), max(walls)],
                "cpu_s": [min(cpus), statistics.median(cpus), max(cpus)],
                "peak_mb": max(row[4] for row in rows),
            }
        print(path.name, json.dumps(result[path.name]), flush=True)
    return result


def timed(tool, path):
    """Scan one file in a process of its own; None when it takes too long."""
    mine = [sys.executable, __file__, "--one", str(path)]
    command = mine if tool == "bartizan" else [str(peer_python()), "-c", PEER_SCRIPT, tool, str(path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=LONGEST_S)
    except subprocess.TimeoutExpired:
        return None
    return json.loads(done.stdout.strip().splitlines()[-1])


def one(path):
    """Scan one file here and print what it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    (result,) = scan_path(path)
    spent = time.perf_counter() - wall, time.process_time() - cpu
    # Not getrusage: its peak begins with that of the process that started this one.
    peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) // 1024
    print(json.dumps([path.name, SAID[result.verdict], *spent, peak]))


def parallel(folder):
    """Return the seconds for thousands of files by one process and by two, and what the first process does itself."""
    result = {}
    for count in (5_000, 40_000):
        below = folder / str(count)
        below.mkdir()
        for part in range(count // 5_000):
            (below / str(part)).mkdir()
            scan_corpora.many_files(below / str(part), 5_000)
        runs, blocked = {"1": [], "2": []}, set()
        for jobs in (1, 2) * 3:
            wall, cpu = time.perf_counter(), time.process_time()
            results = list(scan_paths([below], jobs))
            runs[str(jobs)].append((time.perf_counter() - wall, time.process_time() - cpu))
            blocked.add(sum(result.verdict is Verdict.BLOCK for result in results))
        result[str(count)] = {
            "wall_s by jobs": {jobs: sorted(wall for wall, _ in each) for jobs, each in runs.items()},
            "cpu_s of the first process by jobs": {jobs: sorted(cpu for _, cpu in each) for jobs, each in runs.items()},
            "blocked": sorted(blocked),
        }
        print(count, json.dumps(result[str(count)]), flush=True)
    return result


def corpora(top):
    """Return what each tool says of each corpus, and how many files each package holds."""
    said, held = {}, {}
    fill = {
        "hostile": scan_corpora.hostile_files,
        "stdlib calls": scan_corpora.calls,
        "own honest": scan_corpora.honest_files,
        "made by torch": scan_corpora.torch_files,
        "made by scikit-learn, LightGBM, XGBoost": lambda folder: scan_corpora.estimator_files(folder, peer_python()),
        "shipped in packages": scan_corpora.real_files,
    }
    for number, (name, write) in enumerate(fill.items()):
        folder = top / str(number)
        folder.mkdir()
        held = write(folder) or held
        said[name] = {"bartizan": figures(ours(folder))}
        for tool in ("picklescan", "modelscan", "fickling"):
            said[name][tool] = figures(peer(tool, folder))
        print(name, json.dumps(said[name]), flush=True)
    return {"corpora": said, "files in packages": held}


def many(top):
    """Measure thousands of files."""
    folder = top / "many"
    folder.mkdir()
    return {"many files": parallel(folder)}


def largest(top):
    """Measure large files."""
    folder = top / "large"
    folder.mkdir()
    scan_corpora.large_files(folder)
    return {"large files": large(folder)}


PARTS = {"corpora": corpora, "many files": many, "large files": largest}


def main(parts):
    """Measure, print, write."""
    result = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    result |= {
        "bartizan": __version__,
        "python": platform.python_version(),
        "peers": [name for name in PEERS if "==" in name],
        "packages": [*scan_corpora.WHEELS, scan_corpora.JOBLIB],
        "seed": SEED,
    }
    for name in parts:
        with tempfile.TemporaryDirectory() as top:
            result |= PARTS[name](Path(top))
        RESULT.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(Path(sys.argv[2]))
    else:
        main(sys.argv[2:] if sys.argv[1:2] == ["--only"] else PARTS)
