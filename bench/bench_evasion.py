"""The attacks against a published model and beside adversarial-robustness-toolbox: same model, images and threads.

`make bench-evasion`. Needs mnist.npz (xte, yte) and the published weights fast_adversarial_mnist_fgsm.pth in
build/lab-data. The peer goes into a virtual environment of its own under build/. One thread each.
Part 1, the oracle: AutoAttack's published figure for this model is 82.93 % on all 10,000 test images; here the first
`ORACLE_IMAGES` (ARGS="standard 10000" for another number), in parts of 200 that are kept under build/: a run that was
stopped goes on. Part 2: the lab's own default suite. Part 3: PGD, APGD-CE and Square, ours and theirs in turn.
ARGS="PGD APGD-CE Square" runs that part alone, or only some of it.
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
PEER_IMAGES, EPSILON, SEED, REPEATS = 1000, 0.3, 20261124, 3

PEER_SCRIPT = """
import json, sys, time, logging, numpy as np, torch
logging.disable(logging.CRITICAL)
torch.set_num_threads(1)
from torch import nn
from art.estimators.classification import PyTorchClassifier
from art.attacks.evasion import ProjectedGradientDescentPyTorch, AutoProjectedGradientDescent, SquareAttack
weights, data, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
net = nn.Sequential(nn.Conv2d(1, 16, 4, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 4, 2, 1), nn.ReLU(), nn.Flatten(),
                    nn.Linear(1568, 100), nn.ReLU(), nn.Linear(100, 10))
net.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True)); net.eval()
d = np.load(data); x = d["xte"][:count, None].astype(np.float32) / 255; y = d["yte"][:count]
model = PyTorchClassifier(net, nn.CrossEntropyLoss(), (1, 28, 28), 10, clip_values=(0, 1), device_type="cpu")
attacks = {
    "PGD": lambda: ProjectedGradientDescentPyTorch(model, eps=0.3, eps_step=0.03, max_iter=100, num_random_init=1,
                                                   batch_size=count, verbose=False),
    "APGD-CE": lambda: AutoProjectedGradientDescent(model, eps=0.3, eps_step=0.6, max_iter=100, nb_random_init=1,
                                                    batch_size=count, loss_type="cross_entropy", verbose=False),
    "Square": lambda: SquareAttack(model, eps=0.3, max_iter=1000, nb_restarts=1, batch_size=count, verbose=False),
}
for line in sys.stdin:
    name, seed = line.split()
    np.random.seed(int(seed)); torch.manual_seed(int(seed))
    attack = attacks[name]()
    begun, cpu = time.perf_counter(), time.process_time()
    adv = attack.generate(x, y)
    took = time.perf_counter() - begun, time.process_time() - cpu
    adv = np.clip(np.clip(adv, x - 0.3, x + 0.3), 0, 1)
    said = net(torch.from_numpy(adv.astype(np.float32))).argmax(1).numpy()
    print(json.dumps([int((said == y).sum()), *took]), flush=True)
"""

LADDERS = {
    "PGD": [(Pgd(steps, 0.25, momentum=0.75),) for steps in (10, 20, 40)],
    "APGD-CE": [(Apgd("ce", 20),), (Apgd("ce", 20, restarts=2),), (Apgd("ce", 16, restarts=3),)],
    "Square": [(Square(queries),) for queries in (500, 750, 850)],
}
"""Smaller budgets of ours, cheapest first: the first whose median robust accuracy is at most theirs gives the time to
equal. Those of APGD were chosen on test images 5,000 to 5,999, not on the ones measured here."""
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
        subprocess.run([folder / "bin/pip", "install", "-q", "--no-deps", PEER, "six", "tqdm"], check=True)
    return str(folder / "bin/python")


def beside_peer(name):
    """Time theirs and every budget of ours in turn, `REPEATS` times: a machine that gets busier slows all of them."""
    script = Path("build/peer_evasion.py")
    script.parent.mkdir(exist_ok=True)
    script.write_text(PEER_SCRIPT)
    words = [peer_python(), script, DATA / "fast_adversarial_mnist_fgsm.pth", DATA / "mnist.npz", str(PEER_IMAGES)]
    budgets = (*LADDERS[name], OURS[name])
    theirs, ours = [], {attacks[0].name: [] for attacks in budgets}
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as peer:
        for seed in range(SEED, SEED + REPEATS):
            print(name, seed, file=peer.stdin, flush=True)
            theirs.append(json.loads(next(line for line in peer.stdout if line.startswith("["))))
            for attacks in budgets:
                ours[attacks[0].name].append(timed(attacks, seed))
    return compared(theirs, ours)


def compared(theirs, ours):
    """Describe both; `ours` are the budgets, cheapest first, the last of them the same as theirs."""
    budgets = {name: {**described(runs), "faster": ratio(theirs, runs)} for name, runs in ours.items()}
    *_, same = ours
    found = {"theirs": described(theirs), "same budget": {"budget": same, **budgets[same]}, "budgets": budgets}
    enough = np.median([right for right, _, _ in theirs])
    equal = [name for name, runs in ours.items() if np.median([right for right, _, _ in runs]) <= enough]
    if equal:
        found["equal or lower robust accuracy"] = {"budget": equal[0], **budgets[equal[0]]}
    return found


def timed(attacks, seed):
    """Run ours once: (rightly answered, wall, CPU seconds)."""
    some = problem(PEER_IMAGES, seed)
    begun, cpu = time.perf_counter(), time.process_time()
    found = run_suite(some, attacks)
    wall, used = time.perf_counter() - begun, time.process_time() - cpu
    return round(found.robust.value * PEER_IMAGES), wall, used


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
    parts = [word for word in sys.argv[1:] if not word.isdecimal()] or [*OURS, "default", "standard"]
    result = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    result |= {"version": __version__, "torch": torch.__version__, "python": platform.python_version()}
    result |= {"seed": SEED, "epsilon": EPSILON, "threads": 1, "peer": PEER, "published_autoattack": 0.8293}
    for part in parts:
        if part in OURS:
            result.setdefault("beside_peer", {})[part] = beside_peer(part)
        else:
            attacks = DEFAULT if part == "default" else STANDARD
            result[part] = suite(part, attacks, *(numbers or [ORACLE_IMAGES]))
        RESULT.write_text(json.dumps(result, indent=2) + "\n")
        print(json.dumps(result["beside_peer"][part] if part in OURS else result[part], indent=1))


if __name__ == "__main__":
    main()
