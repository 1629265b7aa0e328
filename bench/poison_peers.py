"""The Adversarial Robustness Toolbox (MIT) beside our checks of pictures: three of its detectors on the same rows.

They need a network that was trained on the poisoned rows; it gets ours. Settings are ART's own defaults; the spectral
signatures are also run with the poison rate, which a user does not know. STRIP needs clean pictures and gets 200.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
import torch

PEER = ("adversarial-robustness-toolbox==1.20.1", "six", "tqdm")
FOLDER = Path("build/peers/art-packages")
STRIP_ROWS = 300
"""Honest rows that STRIP is asked about (it takes milliseconds for each), beside all poisoned ones."""


def ready():
    """Install the peer, without what it would pull in, and make it importable."""
    if not FOLDER.exists():
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", FOLDER, *PEER]
        subprocess.run(command, check=True)
    sys.path.append(str(FOLDER))


def shares(flagged, planted):
    """Of poisoned and of honest rows, what is flagged."""
    honest = ~planted.poison & ~planted.covers
    return {"tpr": float(flagged[planted.poison].mean()), "fpr": float(flagged[honest].mean())}


def peers(model, planted, rate, clean, seed):
    """Return what each detector flags of the planted rows; spectral signatures and clusters are of the hidden layer."""
    from art.defences.detector.poison import ActivationDefence, SpectralSignatureDefense
    from art.defences.transformer.poisoning import STRIP
    from art.estimators.classification import PyTorchClassifier

    def classifier(*layers):
        shape = (planted.pictures.shape[3], *planted.pictures.shape[1:3])
        module, loss = torch.nn.Sequential(*layers), torch.nn.CrossEntropyLoss()
        return PyTorchClassifier(module, loss=loss, input_shape=shape, nb_classes=10, device_type="cpu")

    x, y = inputs(planted.pictures), np.eye(10, dtype=np.float32)[planted.labels]
    np.random.seed(seed)  # ART draws from NumPy's global generator
    found = {}
    for name, share in (("spectral signatures", 0.33), ("spectral signatures, told the rate", rate)):
        _, kept = SpectralSignatureDefense(classifier(model[:-1]), x, y, expected_pp_poison=share).detect_poison()
        found[name] = shares(np.array(kept) == 0, planted)
    _, kept = ActivationDefence(classifier(model[:-1], model[-1]), x, y).detect_poison()
    found["activation clustering"] = shares(np.array(kept) == 0, planted)
    strip = STRIP(classifier(model, torch.nn.Softmax(dim=1)))()
    strip.mitigate(inputs(clean[:200]))
    honest = np.flatnonzero(~planted.poison & ~planted.covers)[:STRIP_ROWS]
    refused = [~strip.predict(x[rows]).any(axis=1) for rows in (np.flatnonzero(planted.poison), honest)]
    found["STRIP"] = {"tpr": float(refused[0].mean()), "fpr": float(refused[1].mean())}
    return found


def inputs(pictures):
    """Pictures as the network reads them."""
    return np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)).astype(np.float32) / 255 - 0.5
