"""Popular packages and hostile ones through `bartizan scan`: how many are blocked, and how long it takes.

`make bench-packages`. The most downloaded packages of the two indexes are fetched once as
wheels and npm tarballs into build/packages (not installed, no hook is run). The hostile corpus is ours
(lab/hostile_packages.py).
"""

import json
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from bartizan import __version__
from bartizan.core.measures import proportion
from bartizan.lab.hostile_packages import honest_packages, hostile_packages
from bartizan.supply.base import Budget, Verdict
from bartizan.supply.packages.names import NPM, PYPI, lookalike, popular
from bartizan.supply.scan import scan_bytes, scan_path

SEED = 20261124
COUNT = 100
FOLDER = Path("build/packages")
RESULT = Path(__file__).parent / "results" / "packages.json"
WITH_HOOKS = (
    *("esbuild", "sharp", "puppeteer", "bcrypt", "core-js", "node-sass", "sqlite3", "canvas", "electron", "cypress"),
    *("husky", "nodemon", "prisma", "@swc/core", "playwright", "fsevents", "grpc", "ws", "bufferutil", "protobufjs"),
)
"""npm packages that are known for what they do when installed."""


def fetch():
    """Download what is not there yet; a name that an index does not serve is left out."""
    wheels, tarballs = FOLDER / "wheels", FOLDER / "npm"
    for folder in (wheels, tarballs):
        folder.mkdir(parents=True, exist_ok=True)
    if not list(wheels.iterdir()):
        for name in list(popular(PYPI))[: COUNT + 10]:
            pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "-d", str(wheels)]
            subprocess.run([*pip, name], check=False)
    if not list(tarballs.iterdir()):
        names = [*list(popular(NPM))[: COUNT - 20], *WITH_HOOKS]
        subprocess.run(["npm", "pack", "--silent", *names], cwd=tarballs, check=False, capture_output=True)
    return sorted(wheels.iterdir()), sorted(one for one in tarballs.iterdir() if one.suffix == ".tgz")


def shares(results):
    """Return how many got each verdict, with the interval of what was blocked."""
    counts = Counter(one.verdict.name for one in results)
    blocked = proportion(counts["BLOCK"], len(results), seed=SEED)
    said = Counter(finding.rule for one in results for finding in {f.rule: f for f in one.findings}.values())
    return {
        "n": len(results),
        "verdicts": dict(counts),
        "blocked": {"value": blocked.value, "low": blocked.low, "high": blocked.high},
        "packages with finding": dict(said),
        "blocked names": [Path(one.path).name for one in results if one.verdict is Verdict.BLOCK],
    }


def timed(paths):
    """Return the results and the seconds they took."""
    begun = time.perf_counter()
    results = [result for path in paths for result in scan_path(path)]
    return results, time.perf_counter() - begun


def names_of_others():
    """Return how often a popular name would be taken for an imitation if it stood not on the list itself.

    Ranks 3001 to 8000 are judged against the 3000 above them, as a small package's name would be.
    """
    found = {}
    draw = random.Random(SEED)
    for ecosystem in (PYPI, NPM):
        ours = popular(ecosystem)
        rare = draw.sample([name for name, rank in ours.items() if rank >= 3000], 2000)
        kept = dict(ours)
        hits = sure = 0
        for name in rare:
            del ours[name]
            like = lookalike(ecosystem, name)
            hits, sure = hits + (like is not None), sure + (like is not None and like.sure)
            ours[name] = kept[name]
        blocked = proportion(sure, len(rare), seed=SEED)
        found[ecosystem] = {"n": len(rare), "review": hits - sure, "block": blocked.value, "high": blocked.high}
    return found


def main():
    """Measure, print, write."""
    wheels, tarballs = fetch()
    bad, good = list(hostile_packages()), list(honest_packages())
    wheel_results, wheel_s = timed(wheels)
    npm_results, npm_s = timed(tarballs)
    corpus = {
        "hostile": [scan_bytes(memoryview(one.data), one.name, Budget()) for one in bad],
        "honest": [scan_bytes(memoryview(one.data), one.name, Budget()) for one in good],
    }
    result = {
        "bartizan": __version__,
        "seed": SEED,
        "popular wheels": shares(wheel_results) | {"seconds": wheel_s},
        "popular npm tarballs": shares(npm_results) | {"seconds": npm_s},
        "own corpus": {name: shares(results) for name, results in corpus.items()},
        "names of packages that are not targets": names_of_others(),
        "wheels": [path.name for path in wheels],
        "tarballs": [path.name for path in tarballs],
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
