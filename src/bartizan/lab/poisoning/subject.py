"""The labelled pictures that T04's proof runs on: the operator's own, or the digits that scikit-learn brings."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bartizan.core.errors import BadSettings
from bartizan.core.sections.data import Data
from bartizan.lab.needs import need
from bartizan.lab.poisoning.pictures import Labels, Pictures

_MOST_ROWS = 4000
_LEAST_ROWS = 400


@dataclass(frozen=True)
class Subject:
    """Pictures (uint8, n x h x w x c) and classes 0..k-1, cut in training and test rows, and what they are."""

    train: tuple[Pictures, Labels]
    test: tuple[Pictures, Labels]
    classes: int
    about: str
    is_reference: bool


def load(section: Data, rng: np.random.Generator) -> Subject:
    """Return the data set that `[data] dataset` names (npz: pictures and classes), or the digits of scikit-learn."""
    if section.dataset:
        pictures, labels = _from_npz(Path(section.dataset), section.label)
        about = f"{section.dataset}, named by the user"
    else:
        digits = need("sklearn.datasets").load_digits()
        pictures = (digits.images * 15.9).astype(np.uint8)[..., None]
        labels = digits.target.astype(np.int64)
        about = "scikit-learn's digits (1,797 pictures of 8 x 8): small and clean; the figures speak of it only"
    order = rng.permutation(len(labels))[:_MOST_ROWS]
    pictures, labels = pictures[order], labels[order]
    cut = int(0.7 * len(labels))
    train, test = (pictures[:cut], labels[:cut]), (pictures[cut:], labels[cut:])
    return Subject(train, test, int(labels.max()) + 1, about, not section.dataset)


def _from_npz(path: Path, label: str) -> tuple[Pictures, Labels]:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError) as error:
        raise BadSettings(f"data.dataset = {path}: cannot be read as npz without pickle: {error}") from error
    pictures = next((a for a in arrays.values() if a.ndim in (3, 4) and a.dtype == np.uint8), None)
    size = -1 if pictures is None else len(pictures)
    fits = [name for name, a in arrays.items() if a.ndim == 1 and a.dtype.kind in "iu" and len(a) == size]
    chosen = label if label in fits else fits[0] if fits and not label else ""
    if pictures is None or not chosen or size < _LEAST_ROWS:
        raise BadSettings(
            f"data.dataset = {path}: expected uint8 pictures (n, h, w[, c]), {_LEAST_ROWS} or more, and whole-number "
            f"classes (n); arrays there: {', '.join(f'{name} {a.dtype} {a.shape}' for name, a in arrays.items())}",
            hint="Name the array of the classes in data.label.",
        )
    names, labels = np.unique(arrays[chosen], return_inverse=True)
    if len(names) < 2:
        raise BadSettings(f"data.dataset = {path}: array {chosen} holds one class only")
    return pictures if pictures.ndim == 4 else pictures[..., None], labels.astype(np.int64)
