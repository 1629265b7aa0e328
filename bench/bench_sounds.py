"""Spoken digits (Free Spoken Digit Dataset, CC BY-SA 4.0): noise below a signal-to-noise ratio, off and on.

`make bench-sounds`. Needs free_spoken_digits.tar.xz in build/lab-data. Test: recordings 0 to 4 of every digit and
speaker (300); training: all others (2,700). Every sound has the same energy, so that training within an L2 ball is
training at one ratio. The attacker knows the model, its spectrogram included. One thread.
"""

import io
import json
import platform
import tarfile
import time
import wave
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import nn

from bartizan import __version__
from bartizan.lab.evasion.apgd import Apgd
from bartizan.lab.evasion.balls import Ball
from bartizan.lab.evasion.base import Problem
from bartizan.lab.evasion.masking import masking_signs
from bartizan.lab.evasion.pgd import Pgd
from bartizan.lab.evasion.square import Square
from bartizan.lab.evasion.suite import run_suite
from bartizan.lab.hardening.adversarial_training import Recipe, trained
from bartizan.lab.labelled import Labelled
from bartizan.lab.target import Arrays
from bartizan.lab.targets.torch_modules import of_module

DATA = Path("build/lab-data/free_spoken_digits.tar.xz")
RESULT = Path(__file__).parent / "results" / "sounds.json"
RATE, LENGTH, NORM, BANDS = 8000, 4096, 10.0, 40
SPEC = Arrays((LENGTH,), -8.0, 8.0)
SNR_DB, RATIOS, SEED = 25.0, (30.0, 25.0, 20.0), 20261124
ATTACKS = (Pgd(20, 0.25, momentum=0.75), Apgd("ce", 30), Square(200))


def sounds():
    """Return training and test sounds: half a second, silence added or the end cut, all of one energy."""
    parts = {True: ([], []), False: ([], [])}
    for name, data in sorted(recordings()):
        digit, _, number = Path(name).stem.split("_")
        with wave.open(io.BytesIO(data)) as file:
            assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
            heard = np.frombuffer(file.readframes(LENGTH), "<i2").astype(np.float32)
        whole = np.zeros(LENGTH, np.float32)
        whole[: len(heard)] = heard
        x, y = parts[int(number) < 5]
        x.append(whole / np.linalg.norm(whole) * NORM)
        y.append(int(digit))
    return [Labelled(np.array(x), np.array(y, np.int64)) for x, y in (parts[False], parts[True])]


def recordings():
    """Yield (name, bytes) of every recording, in the archive's order: it can only be unpacked forwards."""
    with tarfile.open(DATA, "r|xz") as archive:
        for member in archive:
            if member.name.endswith(".wav"):
                yield member.name, archive.extractfile(member).read()


class Hearing(nn.Module):
    """Log-power in mel bands, then a small convolutional network: (n, LENGTH) to logits (n, 10)."""

    def __init__(self):
        """Draw the weights from the seed."""
        super().__init__()
        torch.manual_seed(SEED)
        self.register_buffer("window", torch.hann_window(256))
        self.register_buffer("bands", bands())
        self.net = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.AdaptiveAvgPool2d((4, 4)),
            nn.Flatten(), nn.Linear(512, 10),
        )  # fmt: skip

    def forward(self, x):
        """Return logits."""
        spectrum = torch.stft(x, 256, 128, window=self.window, return_complex=True)
        power = spectrum.real**2 + spectrum.imag**2
        loud = torch.log(self.bands @ power + 1e-2)
        return self.net(loud[:, None])


def bands():
    """Return triangular mel filters (BANDS, 129), evenly spaced on the scale of O'Shaughnessy (1987)."""
    edges = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + RATE / 2 / 700), BANDS + 2) / 2595) - 1)
    at = np.linspace(0, RATE / 2, 129)
    rise = (at - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - at) / (edges[2:] - edges[1:-1])[:, None]
    return torch.from_numpy(np.clip(np.minimum(rise, fall), 0, None).astype(np.float32))


def measured(name, module, test):
    """Clean accuracy, accuracy under attack at each ratio, and signs of masked gradients."""
    target = of_module(name, module, SPEC, classes=10)
    x, y = torch.from_numpy(test.x), torch.from_numpy(test.y)
    found = {ratio: run_suite(Problem(target, Ball("L2", 0.0, ratio), x, y, SEED), ATTACKS) for ratio in RATIOS}
    signs = masking_signs(Problem(target, Ball("L2", 0.0, SNR_DB), x[:50], y[:50], SEED))
    return {
        "clean": asdict(found[SNR_DB].clean),
        "under attack": {f"SNR >= {ratio:g} dB": asdict(one.robust) for ratio, one in found.items()},
        "masking_signs": [sign.name for sign in signs],
    }


def main():
    """Measure the plain and the hardened network with the same attacks."""
    torch.set_num_threads(1)
    train, test = sounds()
    result = {"version": __version__, "torch": torch.__version__, "python": platform.python_version()}
    result |= {"seed": SEED, "train": len(train), "test": len(test), "attacks": [one.name for one in ATTACKS]}
    epsilon = NORM * 10 ** (-SNR_DB / 20)
    recipes = {
        "off": Recipe("none", epochs=8, seed=SEED),
        "on": Recipe("pgd", epsilon, "L2", epochs=12, steps=3, seed=SEED),
    }
    for name, recipe in recipes.items():
        begun = time.process_time()
        module = trained(Hearing(), train, SPEC, recipe, lambda what, done, total: None)
        took = time.process_time() - begun
        result[name] = {"recipe": recipe.method, "fit_cpu_s": round(took), **measured(name, module, test)}
        print(name, json.dumps(result[name], indent=1), flush=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
