"""Labelled sets that benches of the data checks read: public, small, each with its licence."""

import gzip
import tarfile
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.datasets import load_breast_cancer, load_digits

SENTIMENT = "vaderSentiment-3.3.2.tar.gz"
"""As PyPI serves it: mean ratings of people for film review snippets and tweets (MIT; Hutto and Gilbert 2014)."""


def mnist(path):
    """Return pictures and labels of MNIST's training rows (CC BY-SA 3.0)."""
    with np.load(path) as file:
        return file["xtr"].reshape(-1, 28, 28, 1), file["ytr"].astype(np.int64)


def fashion(folder):
    """Return pictures and labels of Fashion-MNIST's training rows (MIT), from Debian's dataset-fashion-mnist."""
    pictures = gzip.decompress((folder / "train-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((folder / "train-labels-idx1-ubyte.gz").read_bytes())
    images = np.frombuffer(pictures, np.uint8, offset=16).reshape(-1, 28, 28, 1)
    return images, np.frombuffer(labels, np.uint8, offset=8).astype(np.int64)


def sentiment(archive, which):
    """Return the texts of `which` ("movieReviewSnippets", "tweets", ...) and whether people found each positive.

    Texts that people found neither (mean rating within half a point of 0, of -4 to 4) are left out.
    """
    with tarfile.open(archive) as outer:
        member = next(one for one in outer if one.name.endswith("hutto_ICWSM_2014.tar.gz"))
        with tarfile.open(fileobj=outer.extractfile(member)) as inner:
            found = next(one for one in inner if Path(one.name).name == f"{which}_GroundTruth.txt")
            lines = inner.extractfile(found).read().decode("utf-8", "replace").splitlines()
    rows = [line.split("\t") for line in lines]
    rows = [(row[2], float(row[1])) for row in rows if len(row) == 3 and abs(float(row[1])) > 0.5]
    return [text for text, _ in rows], np.array([rating > 0 for _, rating in rows]).astype(np.int64)


def adult(path):
    """Return a frame of UCI Adult (CC BY 4.0) and whether each person earns more than 50,000."""
    frame = pl.read_csv(path)
    label = frame.columns[-1]
    return frame.drop(label), frame[label].str.contains(">50K").to_numpy().astype(np.int64)


def digits():
    """Return scikit-learn's digits as a frame of 64 numbers, and which digit each is."""
    found = load_digits()
    return pl.DataFrame(found.data, schema=[f"x{at}" for at in range(64)], orient="row"), found.target.astype(np.int64)


def digit_pictures():
    """Return scikit-learn's digits as pictures of 8 x 8, and which digit each is (1,797 rows)."""
    found = load_digits()
    return (found.images * 15.9).astype(np.uint8)[..., None], found.target.astype(np.int64)


def cancer():
    """Return scikit-learn's breast cancer rows as a frame of 30 numbers, and whether each is benign."""
    found = load_breast_cancer()
    frame = pl.DataFrame(found.data, schema=[f"x{at}" for at in range(30)], orient="row")
    return frame, found.target.astype(np.int64)
