"""Membership attacks beside adversarial-robustness-toolbox: shadow training and attack, time and hits, in one run.

`make bench-privacy`. Reads `location30.tgz` from build/lab-data (or the folder named as the first argument); it is not
shipped. One target, half split of Location-30, a 446-256-30 tanh network, trained as the peer trains by default: 20
epochs, batches of 128, Adam. Both train `SHADOWS` shadow models of it on random halves, `REPEATS` times in turn, and
attack the same target from the same answers; the peer with its attack models at their documented defaults. One thread,
CPU seconds. Privacy Meter is no peer here: 1.0.1, the newest on PyPI, imports TensorFlow, and its later versions are
not there.
"""

import json
import platform
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from bench.bench_evasion import peer_python
from bench.bench_membership import location

from bartizan import __version__
from bartizan.lab.membership.attacks import ATTACKS
from bartizan.lab.membership.judge import LOW_RATES, roc
from bartizan.lab.membership.shadows import balanced_halves
from bartizan.lab.membership.signals import Observed, probabilities
from bartizan.lab.membership.stacked import Recipe, train

SEED, SHADOWS, REPEATS = 20261124, 8, 3
RESULT = Path(__file__).parent / "results" / "privacy.json"
RECIPE = Recipe(hidden=(256,), activation="tanh", epochs=20, batch=128)
HALF = Recipe(hidden=(256,), activation="tanh", epochs=20, batch=128, precision="bfloat16")

PEER_SCRIPT = """
import json, sys, time, logging, warnings, numpy as np, torch
logging.disable(logging.CRITICAL); warnings.simplefilter("ignore")
torch.set_num_threads(1)
from torch import nn
from art.estimators.classification import PyTorchClassifier
from art.attacks.inference.membership_inference import ShadowModels, MembershipInferenceBlackBox
data, shadows, repeats, seed = np.load(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
x, y, said = data["x"], data["y"], data["said"]
net = nn.Sequential(nn.Linear(446, 256), nn.Tanh(), nn.Linear(256, 30))
def model():
    return PyTorchClassifier(net, nn.CrossEntropyLoss(), (446,), 30, device_type="cpu",
                             optimizer=torch.optim.Adam(net.parameters(), 1e-3))
hot = np.eye(30, dtype=np.float32)[y]
for repeat in range(repeats):
    np.random.seed(seed + repeat); torch.manual_seed(seed + repeat)
    begun = time.process_time()
    shadow = ShadowModels(model(), num_shadow_models=shadows, random_state=seed + repeat)
    inside, outside = shadow.generate_shadow_dataset(x, hot)
    print(json.dumps(["shadows", time.process_time() - begun]), flush=True)
soft = lambda z: torch.softmax(torch.from_numpy(z), dim=1).numpy()
for kind in ("rf", "nn"):
    begun = time.process_time()
    attack = MembershipInferenceBlackBox(model(), attack_model_type=kind)
    attack.fit(inside[0], inside[1], outside[0], outside[1], soft(inside[2]), soft(outside[2]))
    found = attack.infer(x, hot, pred=said, probabilities=True)
    found = np.asarray(found).reshape(len(x), -1)[:, -1]
    print(json.dumps([kind, time.process_time() - begun, found.tolist()]), flush=True)
"""


def shown(scores, inside):
    """AUC and hits at low false-positive rates."""
    curve = roc(np.asarray(scores), inside)
    return {"auc": round(curve.auc, 3), **{f"tpr at {rate:g}": round(curve.at(rate), 4) for rate in LOW_RATES}}


def ours(x, y, said, inside):
    """Our shadow training, repeated, and every attack on the target."""
    out = {"shadows CPU s": {}, "attacks": {}}
    known = balanced_halves(len(x), SHADOWS, SEED + 2)  # with SEED the first would be the target's own half
    for name, recipe in (("float32", RECIPE), ("bfloat16", HALF)):
        took = []
        for repeat in range(REPEATS):
            begun = time.process_time()
            references = probabilities(train(x, y, known, recipe, SEED + repeat).logits(x))
            took.append(time.process_time() - begun)
        out["shadows CPU s"][name] = [round(one, 2) for one in took]
    for attack in ATTACKS:
        begun = time.process_time()
        scores = attack.score(Observed(said, references, known, y))
        out["attacks"][attack.name] = {"CPU s": round(time.process_time() - begun, 3), **shown(scores, inside)}
    return out


def theirs(x, y, said, inside):
    """The peer's shadow training, and its attack models."""
    folder = Path("build/privacy")
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "data.npz", x=x, y=y, said=said.astype(np.float32))
    (folder / "peer.py").write_text(PEER_SCRIPT)
    arguments = [folder / "peer.py", folder / "data.npz", SHADOWS, REPEATS, SEED]
    done = subprocess.run([peer_python(), *map(str, arguments)], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    took = [round(line[1], 2) for line in lines if line[0] == "shadows"]
    attacks = {kind: {"CPU s": round(cpu, 2), **shown(found, inside)} for kind, cpu, found in (
        line for line in lines if len(line) == 3
    )}  # fmt: skip
    return {"version": "adversarial-robustness-toolbox 1.20.1", "shadows CPU s": took, "attacks": attacks}


def main():
    """Measure, compare, write."""
    torch.set_num_threads(1)
    x, y = location(Path(sys.argv[1] if len(sys.argv) > 1 else "build/lab-data"))
    inside = np.random.default_rng(SEED).permutation(len(x)) < len(x) // 2
    said = probabilities(train(x, y, inside[None], RECIPE, SEED + 99).logits(x))[0]
    mine, other = ours(x, y, said, inside), theirs(x, y, said, inside)
    middle = {name: float(np.median(took)) for name, took in mine["shadows CPU s"].items()}
    slow = float(np.median(other["shadows CPU s"]))
    best, peer_best = (
        max(side["attacks"].items(), key=lambda one: one[1]["tpr at 0.001"]) for side in (mine, other)
    )  # fmt: skip
    result = {
        "version": __version__, "torch": torch.__version__, "python": platform.python_version(), "seed": SEED,
        "shadow models": SHADOWS, "repeats": REPEATS, "records": len(x), "ours": mine, "peer": other,
        "shadow training, times faster": {name: round(slow / took, 1) for name, took in middle.items()},
        "attack, times faster": round(peer_best[1]["CPU s"] / best[1]["CPU s"], 1),
        "best attack": {"ours": best[0], "peer": peer_best[0],
                        "tpr at 0.001": [best[1]["tpr at 0.001"], peer_best[1]["tpr at 0.001"]],
                        "auc": [best[1]["auc"], peer_best[1]["auc"]]},
    }  # fmt: skip
    print(json.dumps(result, indent=1))
    RESULT.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
