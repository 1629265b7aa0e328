"""Formats that have a mark of their own and hold no other file: how each is recognised and what reads it."""

from collections.abc import Callable
from dataclasses import dataclass

from bartizan.core.findings import Finding
from bartizan.supply import coreml_models, hdf5_files, keras_configs, tensorflow_checkpoints, tensors, tflite_models
from bartizan.supply.base import Budget


@dataclass(frozen=True, slots=True)
class Format:
    """One format."""

    name: str
    matches: Callable[[memoryview], bool]
    """Whether data is of this format, by its marks."""
    read: Callable[[memoryview, str, Budget], list[Finding]]


def _begins(mark: bytes) -> Callable[[memoryview], bool]:
    return lambda data: bytes(data[: len(mark)]) == mark


FORMATS = (
    Format("numpy", _begins(b"\x93NUMPY"), tensors.numpy_file),
    Format("gguf", _begins(b"GGUF"), tensors.gguf),
    Format("safetensors", tensors.is_safetensors, lambda data, path, budget: tensors.safetensors(data, path)),
    Format("hdf5", _begins(hdf5_files.MAGIC), keras_configs.hdf5),
    Format("tflite", tflite_models.is_tflite, tflite_models.tflite),
    Format("tensorflow fingerprint", tensorflow_checkpoints.is_fingerprint, tensorflow_checkpoints.fingerprint),
    Format("tensorflow index", tensorflow_checkpoints.is_index, tensorflow_checkpoints.index),
    Format("coreml weights", coreml_models.is_weights, coreml_models.weights),
)
"""In the order in which they are tried; their marks exclude each other."""


def format_of(data: memoryview) -> Format | None:
    """Return the format of `data`, or None for others."""
    return next((one for one in FORMATS if one.matches(data)), None)
