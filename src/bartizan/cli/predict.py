"""`bartizan predict`: learns what honest inputs of a predictive model look like, so that query attacks stand out."""

import argparse
import secrets
import sys
from pathlib import Path

import numpy as np
from rich.console import Console

from bartizan.cli.base import OK, Command, add_config, configured
from bartizan.core.errors import BadArtifact, BadRequest, BadSettings
from bartizan.core.sections.predict import Predict, PredictModel
from bartizan.gateway.predict.calibration import RATE, calibrated
from bartizan.gateway.predict.contract import Contract
from bartizan.gateway.predict.profile import Profile
from bartizan.gateway.predict.tensors import DTYPES, Array, Tensor
from bartizan.lab.labelled import load


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    calibrate = verbs.add_parser("calibrate", help="learn honest inputs from a file and write a profile")
    calibrate.add_argument("model", help="a model in [[predict.models]]")
    calibrate.add_argument(
        "--data",
        metavar="FILE",
        type=Path,
        required=True,
        help="honest inputs, 10,000 or more: .npz (an array for each input, or x), .npy, …-images-idx3-ubyte.gz",
    )
    calibrate.add_argument("--out", metavar="FILE", type=Path, help="default: bartizan-data/MODEL.profile")
    calibrate.add_argument("--rate", type=float, default=RATE, help=f"false alarms an input (default {RATE:g})")
    calibrate.set_defaults(verb=_calibrate)


def _run(args: argparse.Namespace) -> int:
    settings = configured(args).predict
    code: int = args.verb(args, settings)
    return code


COMMAND = Command(
    "predict", "Watch predictive models for query attacks: learn what honest inputs are.", _arguments, _run
)


def _calibrate(args: argparse.Namespace, settings: Predict) -> int:
    if not 1e-7 <= args.rate <= 0.1:
        raise BadSettings(f"--rate {args.rate:g}: expected 1e-7 to 0.1")
    model = next((one for one in settings.models if one.name == args.model), None)
    if model is None:
        known = ", ".join(one.name for one in settings.models) or "none"
        raise BadSettings(f"no model {args.model!r} in [[predict.models]]: there are: {known}")
    contract = Contract(model)
    if not contract.is_fixed:
        raise BadSettings(f"predict model {model.name}: inputs of any size cannot be watched: expected fixed shapes")
    x = _honest(args.data, model, contract)
    with Console(stderr=True).status(f"{len(x)} inputs"):
        profile = calibrated(x, contract.bounds(), seed=secrets.randbits(63), rate=args.rate, history=settings.history)
    out = args.out or Path("bartizan-data") / f"{model.name}.profile"
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        profile.write(out)
    except OSError as error:
        raise BadSettings(f"{out}: cannot be written: {error}") from error
    _say(profile, out)
    return OK


def _honest(path: Path, model: PredictModel, contract: Contract) -> Array:
    """Return the inputs in a file (n, D), each of them what the model's contract takes."""
    arrays = _arrays(path, model)
    tensors = []
    for entry in model.inputs:
        values = arrays[entry.name]
        if values.dtype == np.uint8 and entry.datatype.startswith("FP") and np.isfinite(entry.high - entry.low):
            values = entry.low + (entry.high - entry.low) * values.astype(np.float32) / 255
        if values.dtype.kind not in "fiub" or values.size % max(int(np.prod(entry.shape)), 1):
            raise BadArtifact(f"{path}: {entry.name}: shape {values.shape} {values.dtype}: expected {entry.shape}")
        values = values.reshape(-1, *entry.shape).astype(DTYPES[entry.datatype])
        tensors.append(Tensor(entry.name, entry.datatype, values))
    parts = []
    for start in range(0, max(len(one.values) for one in tensors), model.rows):
        piece = tuple(Tensor(one.name, one.datatype, one.values[start : start + model.rows]) for one in tensors)
        try:
            contract.rows(piece)
        except BadRequest as error:
            raise BadArtifact(f"{path}: from example {start}: {error}") from None
        parts.append(contract.features(piece))
    return np.concatenate(parts)


def _arrays(path: Path, model: PredictModel) -> dict[str, Array]:
    names = [entry.name for entry in model.inputs]
    if path.name.endswith("-ubyte.gz"):
        return dict.fromkeys(names, load(path, model.inputs[0].low, model.inputs[0].high).x)
    try:
        found = np.load(path, allow_pickle=False)
        if isinstance(found, np.ndarray):
            return {names[0]: found} if len(names) == 1 else {}
        with found as file:
            if set(names) <= set(file.files):
                return {name: file[name] for name in names}
            for name in ("x", "X", "x_train", "xtr", "x_test", "xte"):
                if name in file.files and len(names) == 1:
                    return {names[0]: file[name]}
            held = ", ".join(file.files)
    except (OSError, ValueError, EOFError) as error:
        raise BadArtifact(f"{path}: cannot be read: {error}", hint="Expected .npz, .npy or IDX.") from error
    raise BadArtifact(f"{path} holds {held}: expected {', '.join(names)}")


def _say(profile: Profile, out: Path) -> None:
    facts = profile.facts
    print(f"{out}: {facts['inputs']} honest inputs, {facts['traffic']} of them as traffic, rate {facts['rate']:g}")
    for name, line in vars(profile.lines).items():
        print(f"  {name:8} line {line:8.2f}   median {facts['medians'][name]:8.2f}")
    print(f'  profile = "{out}"   # goes into its [[predict.models]]; keep the file like a key')
    if facts["traffic"] * facts["rate"] < 1:
        print(
            f"  {facts['traffic']} inputs say little about one in {1 / facts['rate']:,.0f}: more are better",
            file=sys.stderr,
        )
