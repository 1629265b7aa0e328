"""`bartizan predict`: learns what honest inputs of a predictive model look like, so that attacks on it stand out."""

import argparse
import asyncio
import secrets
import sys
from pathlib import Path

import numpy as np
from rich.console import Console

from bartizan.cli.base import OK, Command, add_config, configured
from bartizan.core.errors import BadArtifact, BadRequest, BadSettings
from bartizan.core.sections.predict import Predict, PredictModel
from bartizan.gateway.predict.assembly import served
from bartizan.gateway.predict.calibration import RATE, calibrated
from bartizan.gateway.predict.contract import Contract
from bartizan.gateway.predict.model import Model, Prediction, softmax
from bartizan.gateway.predict.profile import Profile
from bartizan.gateway.predict.sketch import Sketch
from bartizan.gateway.predict.sketching import CLIENTS, FEWEST_CLIENTS, Honest, sketched
from bartizan.gateway.predict.sketching import RATE as WINDOW_RATE
from bartizan.gateway.predict.tensors import DTYPES, Array, Tensor
from bartizan.lab.labelled import load


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    calibrate = verbs.add_parser("calibrate", help="learn honest inputs from a file and write a profile")
    _add_honest(calibrate, "profile", f"false alarms an input (default {RATE:g})", RATE)
    calibrate.set_defaults(verb=_calibrate)
    sketch = verbs.add_parser("sketch", help="ask the model about honest inputs and learn what honest callers ask")
    _add_honest(sketch, "sketch", f"false alarms a window of questions (default {WINDOW_RATE:g})", WINDOW_RATE)
    sketch.add_argument(
        "--clients", type=int, default=CLIENTS, metavar="N", help=f"honest clients to make up (default {CLIENTS})"
    )
    sketch.set_defaults(verb=_sketch)


def _add_honest(verb: argparse.ArgumentParser, suffix: str, what: str, rate: float) -> None:
    verb.add_argument("model", help="a model in [[predict.models]]")
    verb.add_argument(
        "--data",
        metavar="FILE",
        type=Path,
        required=True,
        help="honest inputs, 10,000 or more: .npz (an array for each input, or x), .npy, …-images-idx3-ubyte.gz",
    )
    verb.add_argument("--out", metavar="FILE", type=Path, help=f"default: bartizan-data/MODEL.{suffix}")
    verb.add_argument("--rate", type=float, default=rate, help=what)


def _run(args: argparse.Namespace) -> int:
    settings = configured(args).predict
    code: int = args.verb(args, settings)
    return code


COMMAND = Command(
    "predict", "Watch predictive models for attacks by questions: learn what honest inputs are.", _arguments, _run
)


def _calibrate(args: argparse.Namespace, settings: Predict) -> int:
    model, contract = _named(args, settings)
    x = np.concatenate([contract.features(piece) for piece in _honest(args.data, model, contract)])
    with Console(stderr=True).status(f"{len(x)} inputs"):
        profile = calibrated(x, contract.bounds(), seed=secrets.randbits(63), rate=args.rate, history=settings.history)
    _say(profile, _written(profile, args.out, f"{model.name}.profile"))
    return OK


def _sketch(args: argparse.Namespace, settings: Predict) -> int:
    model, contract = _named(args, settings)
    if not FEWEST_CLIENTS <= args.clients <= 10_000:
        raise BadSettings(f"--clients {args.clients}: expected {FEWEST_CLIENTS} to 10000")
    pieces = _honest(args.data, model, contract)
    x = np.concatenate([contract.features(piece) for piece in pieces])
    with Console(stderr=True).status(f"asking {model.name} about {len(x)} inputs"):
        said = asyncio.run(_asked(served(model), pieces))

    def ask(looked: Array) -> Array | None:
        return asyncio.run(_asked(served(model), _pieces(_split(looked, model), model, contract))).scores

    honest = Honest(x, said.labels, said.scores, contract.bounds(), ask)
    with Console(stderr=True).status(f"making up {args.clients} clients and asking about their inputs"):
        sketch = sketched(honest, seed=secrets.randbits(63), rate=args.rate, clients=args.clients)
    out = _written(sketch, args.out, f"{model.name}.sketch")
    facts = sketch.facts
    doubt = (
        "how sure the model is counts too" if facts["doubt"] else "the model gives no scores: doubt is not looked at"
    )
    print(f"{out}: {facts['inputs']} honest inputs; {facts['clients']} made-up clients, rate {facts['rate']:g}")
    limits = ", ".join(f"{name} {value:.2f}" for name, value in vars(sketch.limits).items())
    print(f"  limits: {limits}; {doubt}")
    print(f'  sketch = "{out}"   # goes into its [[predict.models]]; keep the file like a key')
    return OK


def _named(args: argparse.Namespace, settings: Predict) -> tuple[PredictModel, Contract]:
    if not 1e-7 <= args.rate <= 0.1:
        raise BadSettings(f"--rate {args.rate:g}: expected 1e-7 to 0.1")
    model = next((one for one in settings.models if one.name == args.model), None)
    if model is None:
        known = ", ".join(one.name for one in settings.models) or "none"
        raise BadSettings(f"no model {args.model!r} in [[predict.models]]: there are: {known}")
    contract = Contract(model)
    if not contract.is_fixed:
        raise BadSettings(f"predict model {model.name}: inputs of any size cannot be watched: expected fixed shapes")
    return model, contract


async def _asked(model: Model, pieces: list[tuple[Tensor, ...]]) -> Prediction:
    try:
        said = [await model.ask(piece) for piece in pieces]
    finally:
        await model.upstream.close()
    parts = [one.scores for one in said if one.scores is not None]
    scores = np.concatenate(parts) if parts else None
    if scores is not None and model.settings.score_kind == "logits":
        scores = softmax(scores)
    return Prediction(scores, np.concatenate([one.labels for one in said]))


def _written(made: Profile | Sketch, out: Path | None, name: str) -> Path:
    path = out or Path("bartizan-data") / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        made.write(path)
    except OSError as error:
        raise BadSettings(f"{path}: cannot be written: {error}") from error
    return path


def _honest(path: Path, model: PredictModel, contract: Contract) -> list[tuple[Tensor, ...]]:
    """Return the inputs in a file as requests, each of them what the model's contract takes."""
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
    try:
        return _pieces(tensors, model, contract)
    except BadRequest as error:
        raise BadArtifact(f"{path}: {error}") from None


def _split(x: Array, model: PredictModel) -> list[Tensor]:
    """Return the tensors of inputs as lines (n, D)."""
    tensors, at = [], 0
    for entry in model.inputs:
        size = int(np.prod(entry.shape))
        values = x[:, at : at + size].reshape(-1, *entry.shape)
        if not entry.datatype.startswith("FP"):
            values = np.rint(values)
        tensors.append(Tensor(entry.name, entry.datatype, values.astype(DTYPES[entry.datatype])))
        at += size
    return tensors


def _pieces(tensors: list[Tensor], model: PredictModel, contract: Contract) -> list[tuple[Tensor, ...]]:
    """Return the inputs as requests. Raises BadRequest for what the contract does not take, with its place."""
    pieces = []
    for start in range(0, max(len(one.values) for one in tensors), model.rows):
        piece = tuple(Tensor(one.name, one.datatype, one.values[start : start + model.rows]) for one in tensors)
        try:
            contract.rows(piece)
        except BadRequest as error:
            raise BadRequest(f"from example {start}: {error}") from None
        pieces.append(piece)
    return pieces


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
