"""T03: a perturbed input makes a predictive model err. The same examples are attacked with the control off and on, by
attackers who see the weights, the scores or only the labels, and who know the control.

On the operator's model when `[lab] classifier` names one, else on a small network made on the spot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bartizan.core.measures import AtLeast, AtMost, Measurement, bootstrap, proportion
from bartizan.lab.needs import need
from bartizan.threats.base import Claim, Evidence, Threat, Transcript
from bartizan.threats.bench import Bench

if TYPE_CHECKING:
    from bartizan.lab.evasion.base import Problem
    from bartizan.lab.evasion.suite import Attacked
    from bartizan.lab.evasion.trial import Trial

CERTIFIED = 50
SMOOTHING_SIGMA = 0.2
MASKING_EXAMPLES = 40


@dataclass(frozen=True)
class _Side:
    """What one attacker did to one side. Arrays are (n,) bool."""

    found: Attacked
    wrong: np.ndarray
    """Answered wrongly without any attack."""
    unserved: np.ndarray
    """Answered wrongly or not at all without any attack."""

    @property
    def turned(self) -> np.ndarray:
        """Return what the attack turned from not wrong to wrong."""
        return np.asarray(self.found.fooled.numpy() & ~self.wrong)

    def success(self, seed: int) -> Measurement:
        """Return the share of examples, of those not wrong anyway, that the attack turned."""
        return proportion(int(self.turned.sum()), max(int((~self.wrong).sum()), 1), seed=seed)


def run(bench: Bench) -> Evidence:
    """Attack the model without and with its control, break certificates, and look for masked gradients."""
    need("torch")
    from bartizan.lab.evasion.trial import own_trial, reference_trial

    lab = bench.settings.lab
    trial = own_trial(lab, bench.seed) if lab.classifier else reference_trial(bench.seed, progress=bench.progress)
    off, on = (_attack_all(bench, problem, name) for problem, name in ((trial.off, "off"), (trial.on, "on")))
    seed = bench.seed
    families = {name: (off[name].success(seed), side.success(seed)) for name, side in on.items()}
    worst_off, worst_on = (max(side.values(), key=lambda one: int(one.turned.sum())) for side in (off, on))
    both = ~worst_off.wrong & ~worst_on.wrong
    lost = worst_on.unserved.astype(float) - worst_off.unserved
    taken = worst_off.turned[both].astype(float) - worst_on.turned[both]
    measured = {
        "reduction": bootstrap(taken, _mean, seed=seed, unit="share lost by the attacker"),
        "clean accuracy lost": bootstrap(lost, _mean, seed=seed, unit="share of clean inputs"),
        "clean accuracy off": proportion(int((~worst_off.unserved).sum()), len(lost), seed=seed),
        "clean accuracy on": proportion(int((~worst_on.unserved).sum()), len(lost), seed=seed),
        "certificates broken": _certificates_broken(bench, trial),
    }
    return Evidence(
        off=worst_off.success(seed),
        on=worst_on.success(seed),
        measured=measured,
        baselines=_baselines(trial, seed),
        families=families,
        worst=(_transcript("on", trial.on, worst_on), _transcript("off", trial.off, worst_off)),
        notes=(
            *trial.notes,
            f"Control: {trial.control}. The attacker attacks the controlled model itself.",
            "Certificates are checked on the reference model, smoothed.",
            *_signs(trial.on),
        ),
        on_reference=trial.is_reference,
    )


def _attack_all(bench: Bench, problem: Problem, control: str) -> Mapping[str, _Side]:
    from bartizan.lab.evasion.judge import judge_clean
    from bartizan.lab.evasion.suite import run_suite
    from bartizan.lab.evasion.trial import attackers_of

    wrong = judge_clean(problem).fooled.numpy()
    unserved = problem.target.labels(problem.x.numpy()) != problem.y.numpy()
    sides = {}
    for who, seen, attacks in attackers_of(problem):

        def told(what: str, done: int, total: int, who: str = who) -> None:
            bench.progress(f"{who}, control {control}: {what}", done, total)

        found = run_suite(seen, attacks, told)
        sides[who] = _Side(found, wrong, unserved)
        for stage in found.stages:
            body = {"threat": "T03", "attacker": who, "control": control, "attack": stage.attack}
            counts = {"standing": stage.standing_before, "fell": stage.fell, "queries": stage.queries}
            bench.record("attempt", {**body, **counts})
    return sides


def _certificates_broken(bench: Bench, trial: Trial) -> Measurement:
    """Return the share of smoothing certificates of the reference model that an attack within their radius broke."""
    from bartizan.lab.evasion.certificates import attack_certificates
    from bartizan.lab.evasion.trial import reference_trial
    from bartizan.lab.hardening.smoothing import Smoothed
    from bartizan.lab.reference_classifier import DIGITS_SPEC

    guarded = (trial if trial.is_reference else reference_trial(bench.seed, progress=bench.progress)).on
    module = Smoothed(guarded.target.module, SMOOTHING_SIGMA)
    tested = attack_certificates(module, guarded.x[:CERTIFIED], DIGITS_SPEC, bench.seed, progress=bench.progress)
    return proportion(sum(tested.broken), max(tested.certified, 1), seed=bench.seed)


def _baselines(trial: Trial, seed: int) -> dict[str, Measurement]:
    """Return what an attack wins that leaves every input as it is: nothing, or the judge is wrong."""
    from bartizan.lab.evasion.judge import judge, judge_clean

    right = ~judge_clean(trial.off).fooled
    if not right.any():
        return {}
    part = trial.off.part(right)
    idle = judge(part, part.x)
    return {"doing nothing: attack success": proportion(int(idle.fooled.sum()), len(part.x), seed=seed)}


def _signs(problem: Problem) -> tuple[str, ...]:
    import torch

    from bartizan.lab.evasion.masking import masking_signs

    signs = masking_signs(problem.part(torch.arange(min(MASKING_EXAMPLES, len(problem.x)))))
    found = tuple(f"Sign of masked gradients: {sign.name}: {sign.seen}. {sign.advice}" for sign in signs)
    return found or ("No sign of masked gradients on the controlled model.",)


def _transcript(control: str, problem: Problem, side: _Side) -> Transcript:
    """Show one example: the smallest change that won, or, where none did, one that held."""
    turned = np.flatnonzero(side.turned)
    moved = problem.ball.distances(side.found.adversarial, problem.x).numpy()
    chosen = int(turned[moved[turned].argmin()]) if len(turned) else int(np.flatnonzero(~side.wrong)[0])
    said = problem.target.labels(side.found.adversarial[chosen : chosen + 1].numpy())[0]
    was, attack = int(problem.y[chosen]), "; ".join(stage.attack for stage in side.found.stages)
    turns = (
        ("input", f"example {chosen} of class {was}, changed by {moved[chosen]:.3g} ({problem.ball})"),
        ("model", f"class {said}" + (" (no answer)" if _silent(problem, int(said)) else "")),
    )
    won = bool(len(turned))
    why = "the answer is wrong" if won else "no allowed change made the answer wrong"
    return Transcript(f"example-{chosen}", attack, control, turns, won, why)


def _silent(problem: Problem, label: int) -> bool:
    return problem.target.traits.abstains and label == problem.target.classes - 1


def _mean(values: Any) -> float:
    return float(np.mean(values))


T03 = Threat(
    id="T03",
    name="Adversarial input",
    attacker="perturbs an input within a bound so that the model errs; sees weights, scores or labels, and the control",
    attacks=(
        "white box: PGD, APGD on cross-entropy, APGD on likely wrong classes",
        "scores only: Square",
        "labels only: HopSkipJump",
    ),
    controls=(
        "adversarial training (reference model), your hardened weights, or a calibrated confidence threshold",
        "randomised smoothing: certificates that no change within a radius alters the answer",
    ),
    claims=(
        Claim("The attack is real: without the control it wins.", lambda e: e.off, AtLeast(0.5), reference_only=True),
        Claim(
            "The control takes away part of the attacker's wins.",
            lambda e: e.measured["reduction"],
            AtLeast(0.2),
            reference_only=True,
        ),
        Claim("With the control on the strongest attacker wins less than half.", lambda e: e.on, AtMost(0.5)),
        Claim("Clean inputs are served as before.", lambda e: e.measured["clean accuracy lost"], AtMost(0.08)),
        Claim(
            "No certificate is broken by an attack within its radius.",
            lambda e: e.measured["certificates broken"],
            AtMost(0.1),
        ),
        Claim(
            "The judge is not fooled by an attack that does nothing.",
            lambda e: e.baselines["doing nothing: attack success"],
            AtMost(0.1),
        ),
    ),
    residual=(
        "A bound on the change (Linf, L2, L0) is a model of the attacker, not all that one may do: rotations and new "
        "objects lie outside it. Adversarial training holds at the size it was trained for and costs clean "
        "accuracy; a confidence threshold alone falls to an attacker who knows it. Certificates speak of L2 only."
    ),
    advice=(
        "Harden it (`bartizan lab harden`), name the result as `[lab] hardened` and assess again.",
        "Return labels rather than scores where the product allows it, and rate-limit prediction APIs per client.",
        "Do not let a single model decision carry an action that cannot be undone.",
    ),
    name_yours="Set `[lab] classifier`, `data` and `epsilon` in bartizan.toml, so that this is measured on your model.",
    run=run,
)
