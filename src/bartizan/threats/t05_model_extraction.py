"""T05: a client asks a prediction API until it owns a copy of the model.

The thief knows the control but not its key, owns unlabelled records of the same kind, and tries every way of spending
the same questions; the best copy counts. The controls are what leaves with a prediction (`policy/release.py`) and the
gateway's watch on what callers ask (`gateway/predict/accounts.py`). A copy that was made all the same is recognised by
a fingerprint (`lab/ownership`). Of a language model its width is read, unless a key may not see what tells it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from bartizan.core.measures import AtLeast, AtMost, Measurement, bootstrap, proportion
from bartizan.gateway.predict.accounts import BLOCK, Accounts
from bartizan.gateway.predict.sketch import doubt
from bartizan.gateway.predict.sketching import Honest, sketched
from bartizan.lab.needs import need
from bartizan.policy.release import Release
from bartizan.threats.base import Claim, Evidence, Threat
from bartizan.threats.bench import Bench
from bartizan.threats.told_widths import told_widths

if TYPE_CHECKING:
    from bartizan.lab.extraction.clones import Thief

Labels = Callable[[np.ndarray], np.ndarray]
LADDER = (1, 2, 5, 10)
"""Questions, in multiples of what solving the equations takes (one more than there are features)."""
NOISE = 2.0
ACCOUNTS, SYBILS, ASKED = 20, 10, 128
"""Honest accounts beside a thief's, and questions of each."""
COHORT, COPIES, SIGNIFICANT = 40, 20, 0.05
"""Models among which a fingerprint ranks ours, copies and strangers that are checked, and the p that convicts."""


def run(bench: Bench) -> Evidence:
    """Steal a softmax regression of digits with and without the control, and a decision tree without."""
    for module in ("scipy", "sklearn"):
        need(module)
    from bartizan.lab.extraction.clones import Thief, best

    victim, own, held_out, everything = _victim(bench.seed)
    control = Release(
        noise=NOISE,
        key=np.random.default_rng(bench.seed).bytes(32),
        centre=own.mean(axis=0),
        scale=np.full(own.shape[1], own.std()),
    )

    def guarded(x: np.ndarray) -> np.ndarray:
        return control.apply(x, victim(x))

    release = {"off": victim, "on": guarded}
    unit = own.shape[1] + 1

    labels = _labels_of(victim)
    curves: dict[str, list[Measurement]] = {}
    families: dict[str, list[Measurement]] = {}
    for side, scores in release.items():
        thief = Thief(scores, own, bench.seed)
        for number, multiple in enumerate(LADDER):
            bench.progress(f"extraction with the control {side}", number, len(LADDER))
            stolen = thief.steal(multiple * unit)
            winner, agreed = best(stolen, labels, held_out, seed=bench.seed)
            curves.setdefault(side, []).append(agreed)
            told = {"threat": "T05", "control": side, "case": f"{winner.queries} questions", "best": winner.how}
            bench.record("attempt", {**told, "agreement": str(agreed)})
            if multiple == 1:
                for one in stolen:
                    families.setdefault(one.how, []).append(best([one], labels, held_out, seed=bench.seed)[1])
        bench.progress(f"extraction with the control {side}", len(LADDER), len(LADDER))
    kept = guarded(everything).argmax(axis=1) == labels(everything)
    caught, alarms = _watched(victim, everything, bench.seed)
    return Evidence(
        off=curves["off"][0],
        on=curves["on"][0],
        measured={
            "agreement at ten times the questions": curves["on"][-1],
            "labels changed": proportion(int((~kept).sum()), len(kept), seed=bench.seed),
            "gain from averaging": _averaging_gain(Thief(guarded, own, bench.seed), labels, held_out, bench.seed),
            "decision tree, undefended": _tree(bench.seed),
            "thieves' accounts noticed": caught,
            "honest windows noticed": alarms,
            **_widths(bench),
            **dict(zip(("copies recognised", "strangers convicted"), _recognised(bench.seed), strict=True)),
        },
        families={how: (pair[0], pair[1]) for how, pair in families.items()},
        stopped_by={"release.noise": round((curves["off"][0].value - curves["on"][0].value) * len(held_out))},
        notes=(
            f"Success: held-out records that both label alike, of {len(held_out)}, after {unit} questions.",
            f"Best copy by questions, off: {_curve(curves['off'], unit)}; on: {_curve(curves['on'], unit)}.",
            "Scores move by the noise; labels do not. Asking the same input again gives the same answer.",
        ),
    )


def _labels_of(scores: Labels) -> Labels:
    return lambda x: np.asarray(scores(x).argmax(axis=1))


def _victim(seed: int) -> tuple[Callable[[np.ndarray], np.ndarray], np.ndarray, np.ndarray, np.ndarray]:
    """Return the model's scores, the thief's own records, held-out records, and all records."""
    loaded = need("sklearn.datasets").load_digits()
    x = loaded.data / 16.0
    order = np.random.default_rng(seed).permutation(len(x))
    model = (
        need("sklearn.linear_model").LogisticRegression(max_iter=2000).fit(x[order[:700]], loaded.target[order[:700]])
    )
    predict: Callable[[np.ndarray], np.ndarray] = model.predict_proba
    return predict, x[order[700:1200]], x[order[1200:]], x


def _tree(seed: int) -> Measurement:
    """Return the agreement of a decision tree stolen by path finding, at most 3,000 questions."""
    from bartizan.lab.extraction.tree_paths import find_paths

    loaded = need("sklearn.datasets").load_breast_cancer()
    order = np.random.default_rng(seed).permutation(len(loaded.data))
    known, rest = order[:284], order[284:]
    tree = need("sklearn.tree").DecisionTreeClassifier(min_samples_leaf=5, random_state=0)
    tree.fit(loaded.data[known], loaded.target[known])
    low, high = loaded.data.min(axis=0), loaded.data.max(axis=0) + 1e-6
    boxes = find_paths(tree.predict_proba, low, high, budget=3000, seed=seed)
    asked = np.vstack([loaded.data[rest], np.random.default_rng(seed).uniform(low, high, (500, len(low)))])
    same = boxes.scores(asked).argmax(axis=1) == tree.predict_proba(asked).argmax(axis=1)
    return proportion(int(same.sum()), len(same), seed=seed)


def _averaging_gain(thief: Thief, labels: Labels, x: np.ndarray, seed: int) -> Measurement:
    """Return how much more near-copies win than as many fresh questions, solved the same way."""
    stolen = {one.how: one.model for one in thief.steal(LADDER[-1] * (x.shape[1] + 1))}
    truth = labels(x)
    averaged, fresh = (stolen[how].labels(x) == truth for how in ("averaged near-copies", "damped equations, anywhere"))
    pairs = averaged.astype(float) - fresh.astype(float)
    return bootstrap(pairs.tolist(), lambda data: float(np.mean(data)), seed=seed, unit="share")


def _watched(victim: Callable[[np.ndarray], np.ndarray], x: np.ndarray, seed: int) -> tuple[Measurement, Measurement]:
    """Return the thief's accounts that the gateway would notice, and the honest windows: ten thieves ask anywhere."""
    bounds = (np.zeros(x.shape[1], np.float32), np.ones(x.shape[1], np.float32))
    draw = np.random.default_rng((seed, 5))
    order = draw.permutation(len(x))
    known, later = x[order[:1200]].astype(np.float32), x[order[1200:]].astype(np.float32)
    scores = victim(known)
    sketch = sketched(Honest(known, scores.argmax(axis=1), scores, bounds, victim), seed=seed, clients=60)
    past, caught, alarms, windows = Accounts(sketch), set(), 0, 0
    for _ in range(ASKED // BLOCK):
        for number in range(ACCOUNTS + SYBILS):
            thief = number >= ACCOUNTS
            asked = later[draw.integers(0, len(later), BLOCK)]
            asked = draw.uniform(0, 1, asked.shape).astype(np.float32) if thief else asked
            said = victim(asked)
            rows = sketch.unexpected(sketch.place(asked), said.argmax(axis=1), doubt(said, BLOCK))
            past_limits = [one for one in past.take(str(number), "", rows).scores if one.past(sketch.limits)]
            caught |= {number} if thief and past_limits else set()
            windows, alarms = windows + (not thief), alarms + (bool(past_limits) and not thief)
    return proportion(len(caught), SYBILS, seed=seed), proportion(alarms, windows, seed=seed)


def _widths(bench: Bench) -> dict[str, Measurement]:
    bench.progress("width of a language model", 0, 1)
    told = told_widths(bench.seed)
    return {"widths read with an open key": told.read, "tries that a closed key allows": told.refused}


@cache
def _recognised(seed: int) -> tuple[Measurement, Measurement]:
    """Return the copies by labels that a fingerprint recognises, and the owners that would convict a stranger.

    Thieves ask 600 own records and 900 mixtures of them; strangers own the same records with their true labels.
    """
    from bartizan.lab.labelled import Labelled
    from bartizan.lab.membership.stacked import Recipe, train
    from bartizan.lab.ownership import making

    loaded, draw = need("sklearn.datasets").load_digits(), np.random.default_rng((seed, 6))
    order = draw.permutation(len(loaded.data))
    x, y = (loaded.data[order] / 16).astype(np.float32), loaded.target[order]
    plan = making.Plan(COHORT, 200, 0.5, draw.bytes(making.KEY_BYTES))
    own = making.with_mixtures(x[600:1200], plan)[:1500]
    asked = making.with_mixtures(np.concatenate([own, x[1200:]]), plan)
    models = making.cohort(Labelled(x[:600], y[:600]), asked, Recipe((32,), "relu", 15, 32, 3e-3), plan)
    found = making.drafted(models, np.arange(len(own), len(own) + len(x) - 1200))
    parents = draw.permutation(COHORT)[:COPIES]
    inside = np.kron(np.eye(COPIES), np.ones(len(own))).astype(bool)
    taught = models.labels[parents, : len(own)].ravel()
    copies = train(np.tile(own, (COPIES, 1)), taught, inside, Recipe((32,), "relu", 12, 32, 3e-3), seed)
    answers = copies.logits(found.points).argmax(axis=2)
    hits = sum(
        found.drawn(parent).of_answers(said).p <= SIGNIFICANT for parent, said in zip(parents, answers, strict=True)
    )
    known = draw.random((COPIES, 600)) < 0.8
    strangers = train(x[600:1200], y[600:1200], known, Recipe((32,), "relu", 15, 32, 3e-3), seed)
    owners = [
        float(np.mean([found.drawn(owner).of_answers(said).p <= SIGNIFICANT for owner in range(COHORT)]))
        for said in strangers.logits(found.points).argmax(axis=2)
    ]
    convicted = bootstrap(owners, lambda data: float(np.mean(data)), seed=seed, unit="share")
    return proportion(hits, COPIES, seed=seed), convicted


def _curve(agreed: list[Measurement], unit: int) -> str:
    return ", ".join(f"{multiple * unit}: {one.value:.1%}" for multiple, one in zip(LADDER, agreed, strict=True))


T05 = Threat(
    id="T05",
    name="Model extraction",
    attacker="asks a prediction API until a copy of the model is good enough; knows the control, not its key",
    attacks=(
        "equation solving",
        "learning from scores",
        "learning from labels",
        "averaging",
        "tree path finding",
        "width reading",
    ),
    controls=(
        "release: keyed noise that is a fixed function of the input, top scores, digits, labels only, misinformation",
        "watch on what callers ask: alone, together with their kin, by network",
        "keys: neither token probabilities nor biases (`keys create --no-logprobs --no-logit-bias`)",
        "fingerprint: whether a model was made from ours, with an exact p-value",
    ),
    claims=(
        Claim("The attack is real: d + 1 answers give the model.", lambda e: e.off, AtLeast(0.99), reference_only=True),
        Claim("With the control the same questions do not.", lambda e: e.on, AtMost(0.95)),
        Claim(
            "Ten times the questions do not either.",
            lambda e: e.measured["agreement at ten times the questions"],
            AtMost(0.99),
        ),
        Claim("No label changes.", lambda e: e.measured["labels changed"], AtMost(0.005)),
        Claim("Averaging near-copies gains nothing.", lambda e: e.measured["gain from averaging"], AtMost(0.01)),
        Claim(
            "Accounts that ask anywhere are noticed.", lambda e: e.measured["thieves' accounts noticed"], AtLeast(0.65)
        ),
        Claim("Honest windows are not.", lambda e: e.measured["honest windows noticed"], AtMost(0.05)),
        Claim(
            "A key that may see token probabilities gives a language model's width away.",
            lambda e: e.measured["widths read with an open key"],
            AtLeast(1.0),
        ),
        Claim(
            "One that may see neither them nor biases is told nothing to read it from.",
            lambda e: e.measured["tries that a closed key allows"],
            AtMost(0.0),
        ),
        Claim(
            "A fingerprint recognises copies learnt from labels.",
            lambda e: e.measured["copies recognised"],
            AtLeast(0.5),
        ),
        Claim(
            "One owner in twenty at most convicts a stranger at 5 %.",
            lambda e: e.measured["strangers convicted"],
            AtMost(SIGNIFICANT + 1e-9),
        ),
    ),
    residual=(
        "Whoever owns records of the same kind can learn a similar model from labels alone, and asks what honest "
        "callers ask: a small convolutional network is copied to 85 % with some hundred such questions, controls or "
        "not (make bench-extraction). Controls of outputs raise the price of an exact copy, they do not prevent a good "
        "one. The watch misses small steps that one account asks from own records and, on harder data, steps and what "
        "the copy is least sure of under cover traffic (make bench-monitor). Misinformation takes from thieves who "
        "own nothing of the kind what inputs unlike honest ones would have told; drawn likenesses still pass, and who "
        "owns records is not stopped (make bench-misinformation). Scores with noise are worse "
        "calibrated. Trees are stolen whole where leaves can be told apart by their scores. "
        "A server that tells token probabilities though nobody asked for them is not held back. "
        "A fingerprint is broken by training the copy further on labelled records and by answering with a model of the "
        "thief's own where the copy is unsure, and misses copies of few questions (make bench-fingerprint)."
    ),
    advice=(
        "Before you publish a model, make its fingerprint (`bartizan lab fingerprint make`); publish the commitment.",
        "Return labels, or scores with keyed noise, unless the product needs exact scores.",
        "Limit questions per client; make a sketch of honest ones (`bartizan predict sketch`), so that the gateway "
        "notices who asks otherwise, also over many accounts, and tells how good a copy each could have.",
        "Give public keys neither log-probabilities nor biases (`bartizan keys create --no-logprobs --no-logit-bias`): "
        "`bartizan lab width` reads a language model's width from them.",
    ),
    run=run,
)
