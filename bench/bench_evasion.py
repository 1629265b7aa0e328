"""The attacks against a published model and beside adversarial-robustness-toolbox: same model, images and threads.

`make bench-evasion`. Needs mnist.npz (xte, yte) and the published weights fast_adversarial_mnist_fgsm.pth in
build/lab-data. The peer goes into a virtual environment of its own under build/. One thread each.
Part 1, the oracle: AutoAttack's published figure for this model is 82.93 % on all 10,000 test images; here the first
`ORACLE_IMAGES` (ARGS="standard 10000" for another number), in parts of 200 that are kept under build/: a run that was
stopped goes on. Part 2: the lab's own default suite. Part 3: PGD, APGD and Square, ours and theirs.
"""

import json
import platform
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from bartizan import __version__
from bartizan.core.measures import proportion
from bartizan.lab.evasion.apgd import Apgd
from bartizan.lab.evasion.balls import Ball
from bartizan.lab.evasion.base import Problem
from bartizan.lab.evasion.parts import Kept, run_in_parts
from bartizan.lab.evasion.pgd import Pgd
from bartizan.lab.evasion.square import Square
from bartizan.lab.evasion.suite import DEFAULT, STANDARD, run_suite
from bartizan.lab.target import Arrays
from bartizan.lab.targets.torch_modules import load_weights, of_module

DATA = Path("build/lab-data")
PEER = "adversarial-robustness-toolbox==1.20.1"
RESULT = Path(__file__).parent / "results" / "evasion.json"
ORACLE_IMAGES, PART = 1000, 200
PEER_IMAGES, EPSILON, SEED, REPEATS = 200, 0.3, 20261124, 3

PEER_SCRIPT = """
import json, sys, time, logging, numpy as np, torch
logging.disable(logging.CRITICAL)
torch.set_num_threads(1)
from torch import nn
from art.estimators.classification import PyTorchClassifier
from art.attacks.evasion import ProjectedGradientDescentPyTorch, AutoProjectedGradientDescent, SquareAttack
weights, data, count, repeats, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])
net = nn.Sequential(nn.Conv2d(1, 16, 4, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 4, 2, 1), nn.ReLU(), nn.Flatten(),
                    nn.Linear(1568, 100), nn.ReLU(), nn.Linear(100, 10))
net.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True)); net.eval()
d = np.load(data); x = d["xte"][:count, None].astype(np.float32) / 255; y = d["yte"][:count]
model = PyTorchClassifier(net, nn.CrossEntropyLoss(), (1, 28, 28), 10, clip_values=(0, 1), device_type="cpu")
def attacks():
    yield "PGD", ProjectedGradientDescentPyTorch(model, eps=0.3, eps_step=0.03, max_iter=100, num_random_init=1,
                                                 batch_size=count, verbose=False)
    yield "APGD-CE", AutoProjectedGradientDescent(model, eps=0.3, eps_step=0.6, max_iter=100, nb_random_init=1,
                                                  batch_size=count, loss_type="cross_entropy", verbose=False)
    yield "Square", SquareAttack(model, eps=0.3, max_iter=1000, nb_restarts=1, batch_size=count, verbose=False)
for name, attack in attacks():
    for repeat in range(repeats):
        np.random.seed(seed + repeat); torch.manual_seed(seed + repeat)
        begun, cpu = time.perf_counter(), time.process_time()
        adv = attack.generate(x, y)
        took = time.perf_counter() - begun, time.process_time() - cpu
        adv = np.clip(np.clip(adv, x - 0.3, x + 0.3), 0, 1)
        said = net(torch.from_numpy(adv.astype(np.float32))).argmax(1).numpy()
        print(json.dumps([name, int((said == y).sum()), *took]), flush=True)
"""

LADDERS = {
    "PGD": [(Pgd(steps, 0.25, momentum=0.75),) for steps in (10, 20, 40)],
    "APGD-CE": [(Apgd("ce", steps),) for steps in (20, 40, 60)],
    "Square": [(Square(queries),) for queries in (250, 500, 750)],
}
"""Smaller budgets of ours: the first whose robust accuracy is at most theirs gives the time to equal."""
OURS = {
    "PGD": (Pgd(100, 0.1),),
    "APGD-CE": (Apgd("ce", 100),),
    "Square": (Square(1000),),
}


def network():
    """The published model's architecture."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 4, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 4, 2, 1), nn.ReLU(), nn.Flatten(),
        nn.Linear(1568, 100), nn.ReLU(), nn.Linear(100, 10),
    )  # fmt: skip


def problem(count, seed=SEED):
    """The first `count` test images against the published model."""
    module = load_weights(DATA / "fast_adversarial_mnist_fgsm.pth", network)
    target = of_module("fast adversarial MNIST", module, Arrays((1, 28, 28), 0, 1), classes=10)
    data = np.load(DATA / "mnist.npz")
    x = torch.from_numpy(data["xte"][:count, None].astype(np.float32) / 255)
    return Problem(target, Ball("Linf", EPSILON), x, torch.from_numpy(data["yte"][:count]), seed)


def shown(measured):
    """A measurement as JSON."""
    return {"value": measured.value, "low": measured.low, "high": measured.high, "n": measured.n}


def suite(name, attacks, count):
    """Run a suite in parts and describe each stage; the CPU time is that of all parts, in whichever run they were."""
    some = problem(count)
    kept = Kept(Path("build/evasion") / name, PART)
    spent = kept.folder / f"cpu-{count}.json"
    before = json.loads(spent.read_text()) if spent.exists() else 0.0
    cpu = time.process_time()

    def told(what, done, total):
        print(f"{name}: {what} ({done}/{total})", flush=True)
        kept.folder.mkdir(parents=True, exist_ok=True)
        spent.write_text(json.dumps(before + time.process_time() - cpu))

    found = run_in_parts(some, attacks, kept, told)
    took = {"cpu_s": round(before + time.process_time() - cpu, 1)}
    stages = [
        {"attack": one.attack, "fell": one.fell, "robust": shown(one.robust), "wall_s": round(one.seconds, 1)}
        for one in found.stages
    ]
    return {"clean": shown(found.clean), "robust": shown(found.robust), "stages": stages, **took}


def peer_python():
    """The interpreter of the peer's own environment, made once."""
    folder = Path("build/peers/art")
    if not folder.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        site = next((folder / "lib").glob("python3*/site-packages"))
        (site / "shared.pth").write_text(str(Path(torch.__file__).parent.parent))  # the same torch for both
        subprocess.run([folder / "bin/pip", "install", "-q", "--no-deps", PEER], check=True)
    return str(folder / "bin/python")


def beside_peer():
    """Time ours and theirs in turn, `REPEATS` times each."""
    script = Path("build/peer_evasion.py")
    script.parent.mkdir(exist_ok=True)
    script.write_text(PEER_SCRIPT)
    arguments = [DATA / "fast_adversarial_mnist_fgsm.pth", DATA / "mnist.npz", PEER_IMAGES, REPEATS, SEED]
    done = subprocess.run(
        [peer_python(), script, *map(str, arguments)], capture_output=True, text=True, check=True,
    )  # fmt: skip
    theirs = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    table = {}
    for name, attacks in OURS.items():
        other = [(right, wall, used) for kind, right, wall, used in theirs if kind == name]
        same = timed(attacks)
        table[name] = {
            "theirs": described(other),
            "same budget": {"budget": attacks[0].name, **described(same), "faster": ratio(other, same)},
        }
        for smaller in (*LADDERS[name], attacks):
            runs = timed(smaller)
            if np.median([run[0] for run in runs]) <= np.median([run[0] for run in other]):
                equal = {"budget": smaller[0].name, **described(runs), "faster": ratio(other, runs)}
                table[name]["equal or lower robust accuracy"] = equal
                break
    return table


def timed(attacks):
    """Run ours `REPEATS` times: (rightly answered, wall, CPU seconds) of each."""
    runs = []
    for repeat in range(REPEATS):
        some = problem(PEER_IMAGES, SEED + repeat)
        begun, cpu = time.perf_counter(), time.process_time()
        found = run_suite(some, attacks)
        wall, used = time.perf_counter() - begun, time.process_time() - cpu
        runs.append((round(found.robust.value * PEER_IMAGES), wall, used))
    return runs


def ratio(theirs, ours):
    """How many times less CPU ours took, by medians."""
    return round(float(np.median([run[2] for run in theirs]) / np.median([run[2] for run in ours])), 2)


def described(runs):
    """Robust accuracy of each run, and the spread of times."""
    return {
        "robust": [shown(proportion(right, PEER_IMAGES, seed=SEED)) for right, _, _ in runs],
        "cpu_s": [round(used, 2) for _, _, used in runs],
        "wall_s": [round(wall, 2) for _, wall, _ in runs],
    }


def main():
    """Run the parts named on the command line (default: all) and keep the others' last results."""
    torch.set_num_threads(1)
    numbers = [int(word) for word in sys.argv[1:] if word.isdecimal()]
    parts = [word for word in sys.argv[1:] if not word.isdecimal()] or ["peer", "default", "standard"]
    result = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    result |= {"version": __version__, "torch": torch.__version__, "python": platform.python_version()}
    result |= {"seed": SEED, "epsilon": EPSILON, "threads": 1, "peer": PEER, "published_autoattack": 0.8293}
    for part in parts:
        if part == "peer":
            result["beside_peer"] = beside_peer()
        else:
            attacks = DEFAULT if part == "default" else STANDARD
            result[part] = suite(part, attacks, *(numbers or [ORACLE_IMAGES]))
        RESULT.write_text(json.dumps(result, indent=2) + "\n")
        print(json.dumps(result.get("beside_peer" if part == "peer" else part), indent=1))


if __name__ == "__main__":
    main()
