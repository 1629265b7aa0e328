"""T04: places or changes rows in data that will be trained on. Backdoors are planted into a copy of labelled pictures.

Without admission a model learns them; with it the rows that the checks flag are held back and the model is trained on
the rest. Attackers who know the checks hide from each of them. Rows changed after admission are a claim of their own.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bartizan.core.clock import SystemClock
from bartizan.core.measures import AtLeast, AtMost, Measurement, bootstrap, proportion
from bartizan.data.admission import Admission, Request
from bartizan.data.checks.pictures import check_pictures
from bartizan.data.manifest import Provenance
from bartizan.data.store import Store, open_signer
from bartizan.data.verification import verify
from bartizan.lab.poisoning.pictures import (
    AdaptiveBlend,
    AdaptivePatch,
    BadNets,
    Blended,
    Poisoning,
    Sinusoid,
    Warped,
)
from bartizan.lab.poisoning.subject import Subject, load
from bartizan.lab.poisoning.training import answers, backdoor_hits, trained
from bartizan.threats.base import Claim, Evidence, Threat, Transcript
from bartizan.threats.bench import Bench

PLANS: tuple[tuple[Poisoning, float], ...] = (
    (BadNets(), 0.02),
    (Blended(), 0.02),
    (Sinusoid(), 0.05),
    (Warped(), 0.05),
    (AdaptivePatch(), 0.02),
    (AdaptiveBlend(), 0.02),
    (AdaptiveBlend(), 0.01),
    (AdaptiveBlend(sources=1), 0.02),
)
"""Attack and share of rows. The last four know the checks: few rows, parts and covers, one source class only."""
EDITS = 200


@dataclass(frozen=True)
class Outcome:
    """One attack: which triggered test pictures of other classes became the target, without and with the checks."""

    name: str
    off: npt.NDArray[np.bool_]
    on: npt.NDArray[np.bool_]
    caught: int
    poisoned: int
    right: npt.NDArray[np.bool_]
    """Which clean test pictures the model trained with the checks gets right."""


def run(bench: Bench) -> Evidence:
    """Plant each backdoor, train without and with the checks, count what the trigger does; then edit admitted rows."""
    subject = load(bench.settings.data, np.random.default_rng(bench.seed))
    outcomes = []
    for number, (attack, rate) in enumerate(PLANS):
        bench.progress("backdoors planted and trained", number, len(PLANS))
        outcomes.append(_attacked(subject, attack, rate, bench.seed))
        body = {"threat": "T04", "case": outcomes[-1].name, "off": int(outcomes[-1].off.sum())}
        bench.record("attempt", body | {"on": int(outcomes[-1].on.sum()), "caught": outcomes[-1].caught})
    bench.progress("backdoors planted and trained", len(PLANS), len(PLANS))
    held, lost = _honest(subject, outcomes, bench.seed)
    worst = max(outcomes, key=lambda one: float(one.on.mean()))
    strongest = max(outcomes, key=lambda one: float(one.off.mean()))
    return Evidence(
        off=_share(strongest.off, bench.seed),
        on=_share(worst.on, bench.seed),
        measured={
            "poisoned rows caught": proportion(
                sum(one.caught for one in outcomes), sum(one.poisoned for one in outcomes), seed=bench.seed
            ),
            "honest rows held": held,
            "accuracy lost": lost,
            "edited rows named": _edits(subject, bench.seed),
        },
        families={one.name: (_share(one.off, bench.seed), _share(one.on, bench.seed)) for one in outcomes},
        stopped_by={"data.checks": sum(one.off.mean() > 0.5 and one.on.mean() < 0.1 for one in outcomes)},
        worst=tuple(_transcript(one) for one in (worst, strongest)),
        notes=(
            f"The data: {subject.about}; {len(subject.train[1])} rows to train on, {len(subject.test[1])} to test.",
            "The figure without the control is that of the strongest attack; with it, of the attack that came through "
            "best, each over the triggered test pictures of other classes.",
            "A trigger that changes how the picture looks turns some answers of an honest model too: that part stays.",
            "An attack that wins near nothing without the control does not work on these pictures and proves nothing.",
        ),
        on_reference=subject.is_reference,
    )


def _attacked(subject: Subject, attack: Poisoning, rate: float, seed: int) -> Outcome:
    target = 0
    planted = attack.poison(*subject.train, rate, target, np.random.default_rng(seed + 1))
    found = check_pictures(planted.pictures, planted.labels, seed=seed)
    kept = ~found.flagged
    pictures, labels = subject.test
    triggered = planted.trigger(pictures)
    bare = trained(planted.pictures, planted.labels, subject.classes, seed=seed)
    models = [bare, bare]
    if found.flagged.any():
        models[1] = trained(planted.pictures[kept], planted.labels[kept], subject.classes, seed=seed)
    off, on = (backdoor_hits(model, triggered, labels, target, planted.sources) for model in models)
    right = answers(models[1], pictures) == labels
    caught = int((found.flagged & planted.poison).sum())
    return Outcome(f"{attack.name} at {rate:.0%}", off, on, caught, int(planted.poison.sum()), right)


def _honest(subject: Subject, outcomes: Sequence[Outcome], seed: int) -> tuple[Measurement, Measurement]:
    """Return how many honest rows the checks hold back, and the accuracy that held rows and missed poison cost."""
    pictures, labels = subject.train
    held = int(check_pictures(pictures, labels, seed=seed).flagged.sum())
    clean = answers(trained(pictures, labels, subject.classes, seed=seed), subject.test[0]) == subject.test[1]
    with_checks = np.mean([one.right for one in outcomes], axis=0)
    lost = bootstrap(list(clean - with_checks), lambda values: float(values.mean()), seed=seed, unit="of accuracy")
    return proportion(held, len(labels), seed=seed), lost


def _edits(subject: Subject, seed: int) -> Measurement:
    """Admit the pictures, change rows of the copy, and count how many the verification names."""
    rng = np.random.default_rng(seed)
    pictures, labels = subject.train
    with tempfile.TemporaryDirectory(prefix="bartizan-") as name:
        folder = Path(name)
        np.savez(folder / "rows.npz", pictures=pictures, labels=labels)
        signer = open_signer(folder / "key", "proof/data")
        store = Store(folder / "store", signer.verifier_key())
        admission = Admission(store, folder / "quarantine", signer, SystemClock(), lambda kind, body: None)
        manifest = admission.admit_unchecked(
            Request(folder / "rows.npz", "rows", Provenance("proof"), "labels")
        ).manifest
        edited = rng.choice(len(labels), min(EDITS, len(labels) // 2), replace=False)
        changed, flipped = pictures.copy(), labels.copy()
        changed[edited[::2], 0, 0] ^= 1
        flipped[edited[1::2]] = (flipped[edited[1::2]] + 1) % subject.classes
        np.savez(folder / "rows.npz", pictures=changed, labels=flipped)
        wrong = {one.row for one in verify(manifest, folder / "rows.npz").differences if one.rule == "changed"}
    named = sum(f"row {row + 1}" in wrong for row in edited.tolist())
    return proportion(named if len(wrong) == len(edited) else 0, len(edited), seed=seed)


def _share(hits: npt.NDArray[np.bool_], seed: int) -> Measurement:
    return proportion(int(hits.sum()), len(hits), seed=seed)


def _transcript(one: Outcome) -> Transcript:
    turns = (
        ("attacker", f"{one.name}: {one.poisoned} rows planted, trigger shown at test time"),
        ("checks", f"{one.caught} of the planted rows were held back"),
        ("model", f"trigger wins {one.off.mean():.1%} without the checks, {one.on.mean():.1%} with them"),
    )
    return Transcript(one.name, "backdoor", "on", turns, bool(one.on.mean() > 0.1), turns[2][1])


T04 = Threat(
    id="T04",
    name="Data poisoning",
    attacker="places or changes rows in data that will be trained on",
    attacks=(
        "backdoors in pictures: BadNets, blended, clean-label sinusoid, warped, adaptive patch and blend",
        "rows changed after admission",
    ),
    controls=(
        "checks at ingestion: shared pattern, content against label; flagged rows are held back",
        "bartizan data admit and verify: signed manifests, every changed row named",
    ),
    claims=(
        Claim("The attack is real: without checks the strongest backdoor works.", lambda e: e.off, AtLeast(0.8), True),
        Claim("With the checks no backdoor works, of attackers who know them neither.", lambda e: e.on, AtMost(0.1)),
        Claim("Honest rows are not held back.", lambda e: e.measured["honest rows held"], AtMost(0.01)),
        Claim("The checks cost little accuracy.", lambda e: e.measured["accuracy lost"], AtMost(0.03)),
        Claim("Every row changed after admission is named.", lambda e: e.measured["edited rows named"], AtLeast(0.98)),
    ),
    residual=(
        "The checks are measured on pictures; texts, tables and sounds are admitted and verified, not checked for "
        "triggers by this claim. A trigger that is both rare and natural, or rows that are honest one by one, passes."
    ),
    advice=(
        "Let training read through `bartizan.data.open_admitted` only: it refuses what is not signed and intact.",
        "Name the source of every data set at `bartizan data admit` and look at what is new in it.",
        "Keep rows of users and crowds in a data set of their own until they were checked.",
    ),
    name_yours="Name your labelled pictures as `[data] dataset` in bartizan.toml, so that this is measured on them.",
    run=run,
)
