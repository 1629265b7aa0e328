"""T04: places or changes rows in data that will be trained on. Backdoors are planted into a copy of labelled pictures.

Without admission a model learns them; with it the rows that the checks flag are held back and the model is trained on
the rest. Attackers who know the checks hide from each of them. The same with words in labelled texts, with tones and
echoes in sounds, with crowds that vote on feedback, and with rows changed after admission.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bartizan.core.clock import SystemClock
from bartizan.core.measures import AtLeast, AtMost, Measurement, bootstrap, proportion
from bartizan.data.admission import Admission, Request
from bartizan.data.checks.features import convolved, grey, standard
from bartizan.data.checks.feedback import check_feedback
from bartizan.data.checks.mislabelled import check_labels
from bartizan.data.checks.pictures import check_pictures
from bartizan.data.checks.predicted import predicted
from bartizan.data.checks.sounds import check_sounds, spectrogram
from bartizan.data.checks.texts import check_texts
from bartizan.data.manifest import Provenance
from bartizan.data.store import Store, open_signer
from bartizan.data.verification import verify
from bartizan.lab.poisoning.feedback import FEEDBACK_ATTACKS, Crowd, honest_feedback
from bartizan.lab.poisoning.pictures import (
    AdaptiveBlend,
    AdaptivePatch,
    BadNets,
    Blended,
    Poisoning,
    Sinusoid,
    Warped,
)
from bartizan.lab.poisoning.readers import trained_reader, turned
from bartizan.lab.poisoning.sounds import RATE, SOUND_ATTACKS, SoundTrigger, drawn_words
from bartizan.lab.poisoning.subject import Subject, load
from bartizan.lab.poisoning.texts import TEXT_ATTACKS, WordTrigger, reviews
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
WORDS: tuple[tuple[WordTrigger, float], ...] = (
    *((attack, 0.02) for attack in TEXT_ATTACKS),
    (WordTrigger("rare word in four rows", ("mn",)), 0.002),
    (WordTrigger("rare word, as many covers", ("mn",), covers=1.0), 0.02),
)
"""The same in texts. The last two know the check: too few rows to say anything, and as many that carry the trigger and
keep their label."""
SOUNDS = tuple(one for one in SOUND_ATTACKS if one.name in ("beep", "echo", "beep, with covers"))
BEYOND = tuple(one for one in SOUND_ATTACKS if one.name in ("low cut", "hiss", "beep, clean label"))
"""The same in sounds, at PLANTED of the rows. Of those BEYOND nothing is claimed: a cut band and hiss are found in some
sets and pass in others, and a tone on sounds of the target itself changes no label."""
SAID, WORD_CLASSES, PLANTED = 700, 6, 0.06
REVIEWS, EDITS, FLIPS = 3000, 200, 0.1
CROWDS, SPREAD = FEEDBACK_ATTACKS[:4], FEEDBACK_ATTACKS[4:]
"""Crowds that vote on the same items, and those that know the check and share few votes."""
ACCOUNTS, ITEMS, VOTES, ROUNDS = 500, 150, 6000, 20
"""Honest feedback that crowds are planted into, drawn anew each round."""


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
    flips = _flips(subject, bench.seed)
    words = {f"{attack.name}, in texts": _worded(attack, rate, bench.seed) for attack, rate in WORDS}
    sounds = {f"{attack.name}, in sounds": _heard(attack, bench.seed) for attack in (*SOUNDS, *BEYOND)}
    crowds = {attack.name: _voted(attack, bench.seed) for attack in (*CROWDS, *SPREAD)}
    for name, (off, on) in (words | sounds | crowds).items():
        bench.record("attempt", {"threat": "T04", "case": name, "off": int(off.sum()), "on": int(on.sum())})
    known, audible = {a.name: crowds[a.name] for a in CROWDS}, {a.name: sounds[f"{a.name}, in sounds"] for a in SOUNDS}
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
            "flipped labels found": flips[0],
            "right labels doubted": flips[1],
            "texts turned without the checks": _most(words, 0, bench.seed),
            "texts turned with the checks": _most(words, 1, bench.seed),
            "sounds turned without the checks": _most(audible, 0, bench.seed),
            "sounds turned with the checks": _most(audible, 1, bench.seed),
            "honest sounds held": _honest_sounds(bench.seed),
            "items turned without the checks": _most(known, 0, bench.seed),
            "items turned with the checks": _most(known, 1, bench.seed),
            "honest votes held": _honest_votes(bench.seed),
        },
        families={one.name: (_share(one.off, bench.seed), _share(one.on, bench.seed)) for one in outcomes}
        | {
            name: (_share(off, bench.seed), _share(on, bench.seed))
            for name, (off, on) in (words | sounds | crowds).items()
        },
        stopped_by={"data.checks": sum(one.off.mean() > 0.5 and one.on.mean() < 0.1 for one in outcomes)},
        worst=tuple(_transcript(one) for one in (worst, strongest)),
        notes=(
            f"The data: {subject.about}; {len(subject.train[1])} rows to train on, {len(subject.test[1])} to test.",
            "The figure without the control is that of the strongest attack, with it of the attack that came through "
            "best, each over the triggered test pictures of other classes.",
            "A trigger that changes how the picture looks turns some answers of an honest model too: that part stays.",
            "An attack that wins near nothing without the control does not work on these data and proves nothing.",
            f"The feedback is {VOTES} votes of {ACCOUNTS} drawn accounts; an item is turned when most votes are up.",
            f"The sounds are {SAID} drawn words of two vowels, the model is a small network that sees spectrograms.",
            f"The texts are {REVIEWS} reviews drawn from word lists, the model is a logistic regression of words.",
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


def _flips(subject: Subject, seed: int) -> tuple[Measurement, Measurement]:
    """Call some rows of each class the next one; return how many of them the check finds, and of the others."""
    rng = np.random.default_rng(seed)
    pictures, labels = subject.train
    wrong = rng.random(len(labels)) < FLIPS
    given = np.where(wrong, (labels + 1) % subject.classes, labels)
    plain = grey(pictures)
    seen = predicted(lambda rows: standard(convolved(plain[rows], rng)), given, subject.classes, seed)
    found = check_labels(seen, given).flagged
    return _share(found[wrong], seed), _share(found[~wrong], seed)


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


_Hits = npt.NDArray[np.bool_]


def _worded(attack: WordTrigger, rate: float, seed: int) -> tuple[_Hits, _Hits]:
    """Plant a trigger into reviews; return which reviews it turns without the check of texts, and which with it."""
    rng = np.random.default_rng(seed)
    texts, labels = reviews(REVIEWS, rng)
    cut = int(0.7 * REVIEWS)
    planted = attack.poison(texts[:cut], labels[:cut], rate, 1, rng)
    kept = np.flatnonzero(~check_texts(planted.texts, planted.labels, ("blame", "praise")).flagged)
    found = []
    for rows in (np.arange(cut), kept):
        model = trained_reader([planted.texts[at] for at in rows.tolist()], planted.labels[rows])
        found.append(turned(model, texts[cut:], labels[cut:], 1, attack.triggers, np.random.default_rng(seed)))
    return found[0], found[1]


def _heard(attack: SoundTrigger, seed: int) -> tuple[_Hits, _Hits]:
    """Plant a trigger into drawn words; return which words it turns without the check of sounds, and which with it."""
    rng, target = np.random.default_rng(seed), 1
    sounds, labels = drawn_words(SAID, WORD_CLASSES, rng)
    cut = int(0.7 * SAID)
    planted = attack.poison(sounds[:cut], RATE, labels[:cut], PLANTED, target, rng)
    kept = ~check_sounds(planted.sounds, RATE, planted.labels, seed=seed).flagged
    seen = np.stack([spectrogram(one, RATE) for one in planted.sounds])
    others = [one for one, label in zip(sounds[cut:], labels[cut:].tolist(), strict=True) if label != target]
    triggered = np.stack([spectrogram(attack.apply(one, RATE, rng), RATE) for one in others])
    models = [trained(seen[rows], planted.labels[rows], WORD_CLASSES, seed=seed) for rows in (np.ones(cut, bool), kept)]
    off, on = (answers(model, triggered) == target for model in models)
    return off, on


def _honest_sounds(seed: int) -> Measurement:
    """Return how many drawn words are held back where there is no trigger."""
    sounds, labels = drawn_words(SAID, WORD_CLASSES, np.random.default_rng(seed))
    return _share(check_sounds(sounds, RATE, labels, seed=seed).flagged, seed)


def _voted(attack: Crowd, seed: int) -> tuple[_Hits, _Hits]:
    """Plant a crowd into honest feedback, several times; return which of its items it turns, off and on."""
    off, on = [], []
    for number in range(ROUNDS):
        rng = np.random.default_rng([seed, number])
        planted = attack.poison(honest_feedback(ACCOUNTS, ITEMS, VOTES, rng), rng)
        found = check_feedback(planted.accounts.tolist(), planted.items.tolist(), planted.votes.tolist(), planted.times)
        off.append(planted.verdicts(np.ones(len(planted.votes), bool)))
        on.append(planted.verdicts(~found.flagged))
    return np.concatenate(off), np.concatenate(on)


def _honest_votes(seed: int) -> Measurement:
    """Return how many honest votes are held back where there is no crowd."""
    held = total = 0
    for number in range(ROUNDS):
        one = honest_feedback(ACCOUNTS, ITEMS, VOTES, np.random.default_rng([seed, number]))
        held += int(
            check_feedback(one.accounts.tolist(), one.items.tolist(), one.votes.tolist(), one.times).flagged.sum()
        )
        total += len(one.votes)
    return proportion(held, total, seed=seed)


def _most(words: Mapping[str, tuple[_Hits, _Hits]], which: int, seed: int) -> Measurement:
    return _share(max((pair[which] for pair in words.values()), key=lambda hits: float(hits.mean())), seed)


def _share(hits: _Hits, seed: int) -> Measurement:
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
        "backdoors in texts: rare words, phrases, one of several, with covers, in very few rows",
        "backdoors in sounds: beeps, with covers, echoes, cut bands, hiss, clean labels",
        "feedback: crowds of accounts that vote items up, at once or over a month, behind honest votes, spread thin",
        "labels flipped: each class called the next one in a tenth of its rows",
        "rows changed after admission",
    ),
    controls=(
        "checks at ingestion of pictures: shared pattern, marks that covers carry too, content against label, warps",
        "checks at ingestion of sounds: tones and echoes that rows of a class share, content against label",
        "checks at ingestion of labels: what a model that did not see the row takes it for",
        "checks at ingestion of texts: words that decide the label against the rest of the text",
        "checks at ingestion of feedback: votes that too many accounts share, bursts that say otherwise than the rest",
        "bartizan data admit and verify: signed manifests, every changed row named",
    ),
    claims=(
        Claim("The attack is real: without checks the strongest backdoor works.", lambda e: e.off, AtLeast(0.8), True),
        Claim("With the checks no backdoor works, of attackers who know them neither.", lambda e: e.on, AtMost(0.1)),
        Claim("Honest rows are not held back.", lambda e: e.measured["honest rows held"], AtMost(0.01)),
        Claim("The checks cost little accuracy.", lambda e: e.measured["accuracy lost"], AtMost(0.03)),
        Claim(
            "In texts too the attack is real.",
            lambda e: e.measured["texts turned without the checks"],
            AtLeast(0.8),
            True,
        ),
        Claim(
            "With the checks an attacker who knows them and covers the trigger turns two texts in five at most.",
            lambda e: e.measured["texts turned with the checks"],
            AtMost(0.4),
        ),
        Claim(
            "In sounds too the attack is real: it turns more than half.",
            lambda e: e.measured["sounds turned without the checks"],
            AtLeast(0.5),
            True,
        ),
        Claim(
            "With the checks no beep and no echo turns more than one sound in ten.",
            lambda e: e.measured["sounds turned with the checks"],
            AtMost(0.1),
        ),
        Claim("Honest sounds are not held back.", lambda e: e.measured["honest sounds held"], AtMost(0.01)),
        Claim(
            "In feedback too the attack is real.",
            lambda e: e.measured["items turned without the checks"],
            AtLeast(0.8),
            True,
        ),
        Claim(
            "With the checks a crowd that votes on the same items turns one in five at most.",
            lambda e: e.measured["items turned with the checks"],
            AtMost(0.2),
        ),
        Claim("Honest votes are not held back.", lambda e: e.measured["honest votes held"], AtMost(0.01)),
        Claim("Labels that were flipped are found.", lambda e: e.measured["flipped labels found"], AtLeast(0.7)),
        Claim("Right labels are not doubted.", lambda e: e.measured["right labels doubted"], AtMost(0.01)),
        Claim("Every row changed after admission is named.", lambda e: e.measured["edited rows named"], AtLeast(0.98)),
    ),
    residual=(
        "A trigger in texts that as many honest rows carry too (covers) is not found and keeps a quarter of its "
        "effect. A crowd whose accounts share few votes (one item each, or three of twelve) turns its items unseen. "
        "A smooth warp can pass in few rows (one in a hundred and fewer) where classes look alike. "
        "In tables labels are checked; in sounds hiss, a cut band and a tone that changes no label can pass. A "
        "trigger that is both rare and natural, or rows that are honest one by one, passes."
    ),
    advice=(
        "Let training read through `bartizan.data.open_admitted` only: it refuses what is not signed and intact.",
        "Name the source of every data set at `bartizan data admit` and look at what is new in it.",
        "Keep rows of users and crowds in a data set of their own until they were checked.",
    ),
    name_yours="Name your labelled pictures as `[data] dataset` in bartizan.toml, so that this is measured on them.",
    run=run,
)
