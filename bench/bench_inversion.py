"""Faces rebuilt from a recogniser's answers, on the AT&T set: without a control, with each, and what each costs.

`make bench-inversion`. Reads `att_faces.tar.xz` (AT&T Laboratories Cambridge, 40 people, 10 photographs each) from
build/lab, or the folder named as the first argument; it is not shipped. The recogniser is a softmax model on seven
photographs of each person; the evaluator is another network, trained on disturbed copies of the other three, and never
sees the recogniser. Two attackers: one with the weights (40 people, from a grey image), and one with answers only, who
owns photographs of ten strangers and asks about thirty people in every way of `lab/inversion`; the best way counts.
"""

import json
import platform
import re
import sys
import tarfile
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from scipy.ndimage import gaussian_filter, rotate, shift

from bartizan import __version__
from bartizan.core.measures import proportion
from bartizan.lab.extraction.equations import Linear
from bartizan.lab.inversion.judge import recognised, similarity
from bartizan.lab.inversion.rebuild import climb, rebuild
from bartizan.lab.membership.stacked import Noise, Recipe, train
from bartizan.lab.privacy.accountant import noise_for
from bartizan.policy.release import Release

SEED = 20261124
FOLDER = Path(sys.argv[1] if len(sys.argv) > 1 else "build/lab")
RESULT = Path(__file__).parent / "results" / "inversion.json"
SIDES = (28, 23)
PEOPLE, PATIENT = 30, 10
PLAIN = Recipe(hidden=(), epochs=100, batch=32, learning_rate=1e-3)
EPSILONS = (3, 10, 100)
DELTA = 1e-3
say = Console(stderr=True).print


def photographs():
    """Return (40, 10, 28, 23): each person's photographs, 0..1, in the order of their numbers."""
    out = np.zeros((40, 10, *SIDES))
    with tarfile.open(FOLDER / "att_faces.tar.xz") as archive:
        for member in archive:
            found = re.search(r"s(\d+)/(\d+)\.pgm$", member.name)
            if found:
                data = archive.extractfile(member).read()
                width, height = map(int, re.match(rb"P5\s+(\d+)\s+(\d+)\s+255\s", data).groups())
                picture = np.frombuffer(data[-width * height :], np.uint8).reshape(height, width) / 255
                small = picture.reshape(SIDES[0], height // SIDES[0], SIDES[1], width // SIDES[1]).mean(axis=(1, 3))
                out[int(found[1]) - 1, int(found[2]) - 1] = small
    return out


class Evaluator:
    """Knows people by disturbed copies of three photographs of each; sees images without their light and contrast."""

    def __init__(self, photos, seed):
        draw = np.random.default_rng(seed)
        copies = [disturbed(photo, draw) for person in photos for photo in person for _ in range(30)]
        who = np.repeat(np.arange(len(photos)), 30 * photos.shape[1])
        recipe = Recipe(hidden=(256,), activation="relu", epochs=15, batch=64, learning_rate=1e-3)
        self.net = train(normal(np.stack(copies)), who, np.ones((1, len(who)), dtype=bool), recipe, seed)

    def logits(self, images):
        return self.net.logits(normal(images))


def disturbed(photo, draw):
    moved = rotate(shift(photo, draw.uniform(-1, 1, 2), order=1, mode="nearest"), draw.uniform(-8, 8), reshape=False,
                   order=1, mode="nearest")  # fmt: skip
    moved = gaussian_filter(moved[:, ::-1] if draw.random() < 0.5 else moved, draw.uniform(0, 1))
    noisy = (moved - moved.mean()) * draw.uniform(0.6, 1.3) + moved.mean() + draw.normal(0, 0.05, moved.shape)
    return np.clip(noisy, 0, 1)


def normal(images):
    flat = images.reshape(len(images), -1)
    return ((flat - flat.mean(axis=1, keepdims=True)) / (flat.std(axis=1, keepdims=True) + 1e-6)).astype(np.float32)


def recogniser(photos, recipe=PLAIN):
    """Return the softmax model of seven photographs of each person."""
    x = photos[:, :7].reshape(-1, photos[0, 0].size).astype(np.float32)
    y = np.repeat(np.arange(len(photos)), 7)
    stack = train(x, y, np.ones((1, len(y)), dtype=bool), recipe, SEED)
    return Linear(stack.weights[0][0].double().numpy(), stack.biases[0][0, 0].double().numpy())


def accuracy(model, photos):
    """Return the share of the three photographs that nobody trained the recogniser on which it names rightly."""
    x, y = photos[:, 7:].reshape(-1, photos[0, 0].size), np.repeat(np.arange(len(photos)), 3)
    return share(model.labels(x) == y)


def share(hits):
    return str(proportion(int(np.sum(hits)), len(hits), seed=SEED))


def private(epsilon, members):
    """Return training with DP-SGD at this epsilon for one photograph: full batches, 100 steps."""
    batch, epochs = members // 2, 50
    noise = Noise(1.0, noise_for(epsilon, DELTA, batch / members, epochs * 2))
    return Recipe(hidden=(), epochs=epochs, batch=batch, learning_rate=1.0, optimizer="sgd", noise=noise)


def with_weights(photos, judge):
    """The attacker who has the model: MIFace from a grey image, without a control and with private training."""
    out, flat = {}, photos[:, :7].reshape(len(photos), 7, -1)
    ways = {"no control": PLAIN} | {f"DP, epsilon {e}": private(e, 7 * len(photos)) for e in EPSILONS}
    for name, recipe in ways.items():
        model = recogniser(photos, recipe)
        images = climb(model, np.full(flat.shape[2], 0.5), 100)
        nearest = [max(person, key=lambda face, image=image: np.corrcoef(face, image)[0, 1])
                   for person, image in zip(flat, images, strict=True)]  # fmt: skip
        out[name] = {
            "recognised": share(recognised(judge, images)),
            "similarity to the nearest photograph": str(similarity(images, np.stack(nearest), seed=SEED)),
            "accuracy": accuracy(model, photos),
        }
        say("with the weights", name, out[name])
    return out


def with_answers(photos, judge, strangers):
    """The attacker who asks as often as solving the equations takes, and for labels only `PATIENT` times as often."""
    own = strangers.reshape(-1, strangers[0, 0].size)
    model, unit, out = recogniser(photos), own.shape[1] + 1, {}
    key, centre, scale = b"k" * 32, own.mean(axis=0), np.full(own.shape[1], own.std())
    controls = {
        "no control": Release(),
        "two digits": Release(digits=2),
        "one digit": Release(digits=1),
        "keyed noise": Release(noise=2.0, key=key, centre=centre, scale=scale),
        "labels only": Release(labels_only=True),
    }
    for name, control in controls.items():
        for times in (1, PATIENT) if control.labels_only else (1,):
            floor = 0.5 * 10.0**-control.digits if control.digits > 0 else 1e-9
            ways = rebuild(lambda x, control=control: control.apply(x, model.scores(x)), own, queries=times * unit,
                           seed=SEED, floor=floor)  # fmt: skip
            hits = {one.how: recognised(judge, one.images) for one in ways}
            best = max(hits, key=lambda how: hits[how].sum())
            out[f"{name}, {times * unit} questions"] = {"recognised": share(hits[best]), "by": best}
            say(name, times * unit, out[f"{name}, {times * unit} questions"])
    return out


def main():
    """Run and write the result."""
    torch.set_num_threads(1)
    photos = photographs()
    whole, part = Evaluator(photos[:, 7:], SEED), Evaluator(photos[:PEOPLE, 7:], SEED)
    seen = np.repeat(np.arange(len(photos)), 7)
    grey = np.full((len(photos), photos[0, 0].size), 0.5) + np.random.default_rng(SEED).normal(
        0, 0.05, (40, photos[0, 0].size)
    )
    found = {
        "version": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "seed": SEED,
        "evaluator on the recogniser's photographs": share(
            whole.logits(photos[:, :7].reshape(-1, *SIDES))[0].argmax(axis=1) == seen
        ),
        "chance": {"40 people": "2.5%", "30 people": "3.3%"},
        "grey noise recognised": share(recognised(whole, grey)),
        "with the weights, 40 people": with_weights(photos, whole),
        "with answers, 30 people": with_answers(photos[:PEOPLE], part, photos[PEOPLE:]),
    }
    RESULT.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
