"""`[lab]`: the operator's own predictive model, which proofs and `bartizan lab` attack."""

from typing import Annotated, Literal

from msgspec import Meta, Struct


class Lab(Struct, frozen=True, forbid_unknown_fields=True):
    """The predictive model under test. Empty means: a small reference model made on the spot."""

    classifier: Annotated[
        str,
        Meta(
            description="model.onnx, model.skops, weights (.safetensors, .pth) with a factory, "
            "http://host/v2/models/NAME, http://host/invocations, or python:module:function."
        ),
    ] = ""
    factory: Annotated[str, Meta(description="module:function that makes the torch module of a file of weights.")] = ""
    hardened: Annotated[
        str, Meta(description="The same model after hardening, from the same factory; proofs measure it as `on`.")
    ] = ""
    data: Annotated[
        str,
        Meta(
            description="Test data: an .npz with x and y, or a .csv whose last column is y; `lab attack`: .jsonl too."
        ),
    ] = ""
    shape: Annotated[
        tuple[int, ...], Meta(description="Shape of one example; empty: the model or the data tells.")
    ] = ()
    low: Annotated[float, Meta(description="Smallest value of an input.")] = 0.0
    high: Annotated[float, Meta(description="Largest value of an input.")] = 1.0
    classes: Annotated[int, Meta(ge=0, le=100000, description="How many classes; 0: the model tells.")] = 0
    norm: Annotated[
        Literal["Linf", "L2", "L0", "patch"],
        Meta(description="How the attacker's changes are measured; patch: any values in one rectangle."),
    ] = "Linf"
    epsilon: Annotated[
        float, Meta(ge=0, description="How far the attacker may change an input; of a patch: its share of the area.")
    ] = 0.1
    examples: Annotated[int, Meta(ge=60, le=100000, description="How many test examples a proof attacks.")] = 200
    max_queries: Annotated[
        int, Meta(ge=100, le=1000000000, description="A remote model never gets more rows than this in a proof.")
    ] = 200000
