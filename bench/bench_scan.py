"""Detection, honest files and speed of `bartizan scan` beside three peers, on the same files in one run.

`make bench-scan`. The peers are installed into a virtual environment of their own under build/ (versions pinned below).
The hostile corpus is ours (lab/hostile_artefacts.py) plus 1,000 calls of standard-library functions drawn with a seed;
peers' own test files are not used. Honest ones are ours, and models that scikit-learn, LightGBM and XGBoost make here.
A peer passes a file when its exit code would be 0.
"""

import inspect
import io
import json
import pickletools
import platform
import random
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import joblib
import numpy as np

from bartizan import __version__
from bartizan.core.measures import proportion
from bartizan.lab.hostile_artefacts import SHAPES, benign, hostile
from bartizan.supply.allowed import tier
from bartizan.supply.base import Verdict
from bartizan.supply.scan import scan_path

SEED = 20261124
PEERS = ("picklescan==1.0.5", "modelscan==0.8.8", "fickling==0.1.12", "typing_extensions")
MAKERS = ("scikit-learn", "lightgbm", "xgboost-cpu", "joblib")
RESULT = Path(__file__).parent / "results" / "scan.json"
BUILD = Path("build/peers")

PEER_SCRIPT = """
import json, pathlib, sys, time, logging, contextlib, io
logging.disable(logging.CRITICAL)
tool, folder = sys.argv[1:]
out = {}
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
for path in sorted(pathlib.Path(folder).iterdir()):
    begun = time.perf_counter()
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            said = judge(str(path))
    except BaseException as error:
        said = "error"
    out[path.name] = (said, time.perf_counter() - begun)
print(json.dumps(out))
"""


MODELS_SCRIPT = """
import pathlib, pickle, sys, warnings
warnings.simplefilter("ignore")
import joblib, lightgbm, numpy as np, xgboost
from sklearn.datasets import make_classification
from sklearn.utils import all_estimators
folder = pathlib.Path(sys.argv[1])
x, y = make_classification(60, 6, random_state=0)
def keep(name, model):
    joblib.dump(model, folder / f"{name}.joblib")
    (folder / f"{name}.pkl").write_bytes(pickle.dumps(model))
for name, kind in all_estimators():
    try:
        model = kind()
        try:
            model.fit(x, y)
        except Exception:
            model.fit(np.abs(x), y)
        keep(f"sklearn-{name}", model)
    except Exception:
        continue  # takes other arguments or other data
for kind in (lightgbm.LGBMClassifier, lightgbm.LGBMRegressor):
    model = kind(n_estimators=5, verbose=-1).fit(x, y)
    keep(f"lightgbm-{kind.__name__}", model)
    keep(f"lightgbm-{kind.__name__}-booster", model.booster_)
for kind in (xgboost.XGBClassifier, xgboost.XGBRegressor):
    model = kind(n_estimators=5).fit(x, y)
    keep(f"xgboost-{kind.__name__}", model)
    keep(f"xgboost-{kind.__name__}-booster", model.get_booster())
"""


def stdlib_calls(count):
    """Yield pickles that call public functions of the standard library, in random forms."""
    draw = random.Random(SEED)
    found = []
    for module_name in sorted(sys.stdlib_module_names & set(sys.modules)):
        for name, value in sorted(vars(sys.modules[module_name]).items()):
            public = not name.startswith("_") and callable(value) and not inspect.ismodule(value)
            if public and tier(module_name, name) is None:
                found.append((module_name, name))
    for number in range(count):
        module, name = draw.choice(found)
        _, make = draw.choice(SHAPES[:8])
        yield f"call-{number:04d}-{module}.{name}.pkl", make(module, name, "x")


def honest_models(folder):
    """Write arrays and joblib files made on the spot, beside the honest samples of the corpus."""
    for sample in benign():
        (folder / sample.name).write_bytes(sample.data)
    draw = np.random.default_rng(SEED)
    for number in range(20):
        kept = {"w": draw.normal(size=(10 + number, 4)), "n": number, "o": np.array(["a", None], dtype=object)}
        joblib.dump(kept, folder / f"joblib-{number}.joblib", compress=number % 3)


def large(folder):
    """Write files of half a gigabyte: safetensors, torch zip, raw pickle of arrays; and many small objects."""
    block = np.zeros(500_000_000 // 4, dtype="f4")
    header = json.dumps({"w": {"dtype": "F32", "shape": [block.size], "data_offsets": [0, block.nbytes]}}).encode()
    with (folder / "large.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        block.tofile(file)
    small = next(one for one in benign() if one.name.startswith("state-"))
    inner = zipfile.ZipFile(io.BytesIO(small.data))
    with zipfile.ZipFile(folder / "large.pt", "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", inner.read("archive/data.pkl"))
        archive.writestr("archive/data/0", block.tobytes())
    (folder / "large.pkl").write_bytes(block.dumps())
    items = b"".join(b"X" + struct.pack("<I", 8) + b"%08d" % n + b"K\x01K\x02\x86" for n in range(1_000_000))
    (folder / "objects.pkl").write_bytes(b"\x80\x02}(" + items + b"u.")


def peer_python():
    """Return the Python of the peers' virtual environment, made on first use."""
    python = BUILD / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(BUILD)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *PEERS, *MAKERS, "numpy"], check=True)
    return python


def ours(folder):
    """Return our verdict and time for each file."""
    out = {}
    for path in sorted(folder.iterdir()):
        begun = time.perf_counter()
        (result,) = scan_path(path)
        said = {Verdict.CLEAN: "pass", Verdict.REVIEW: "review", Verdict.UNREADABLE: "error"}.get(
            result.verdict, "flag"
        )
        out[path.name] = (said, time.perf_counter() - begun)
    return out


def peer(tool, folder):
    """Return a peer's verdicts and times; one process for the whole folder, so that its start does not count."""
    done = subprocess.run(
        [str(peer_python()), "-c", PEER_SCRIPT, tool, str(folder)], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.strip().splitlines()[-1])


def figures(results):
    """Return counts and the share that passes with its interval."""
    said = [one[0] for one in results.values()]
    passed = proportion(said.count("pass"), len(said), seed=SEED)
    kinds = {kind: said.count(kind) for kind in ("flag", "review", "error", "pass")}
    return kinds | {"n": len(said), "passes": passed.value, "low": passed.low, "high": passed.high}


def main():
    """Measure, print, write."""
    result = {
        "bartizan": __version__,
        "python": platform.python_version(),
        "peers": [one for one in PEERS if "==" in one],
        "seed": SEED,
        "opcodes": len(pickletools.opcodes),
        "corpora": {},
        "seconds": {},
    }
    tools = {
        "bartizan": ours,
        "picklescan": lambda folder: peer("picklescan", folder),
        "modelscan": lambda folder: peer("modelscan", folder),
        "fickling": lambda folder: peer("fickling", folder),
    }
    with tempfile.TemporaryDirectory() as top:
        folders = {name: Path(top) / name for name in ("hostile", "stdlib", "honest", "models", "large")}
        for folder in folders.values():
            folder.mkdir()
        for sample in hostile():
            (folders["hostile"] / sample.name).write_bytes(sample.data)
        for name, data in stdlib_calls(1000):
            (folders["stdlib"] / name).write_bytes(data)
        honest_models(folders["honest"])
        subprocess.run([str(peer_python()), "-c", MODELS_SCRIPT, str(folders["models"])], check=True)
        large(folders["large"])
        for corpus in ("hostile", "stdlib", "honest", "models"):
            result["corpora"][corpus] = {tool: figures(run(folders[corpus])) for tool, run in tools.items()}
        del tools["fickling"]  # minutes a file at this size
        times = {tool: [run(folders["large"]) for _ in range(3)] for tool, run in tools.items()}
        for name in sorted(times["bartizan"][0]):
            result["seconds"][name] = {
                tool: {
                    "median": statistics.median(one[name][1] for one in repeats),
                    "least": min(one[name][1] for one in repeats),
                    "most": max(one[name][1] for one in repeats),
                    "verdict": repeats[0][name][0],
                }
                for tool, repeats in times.items()
            }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
