"""`[predict]`: predictive models behind the gateway: where they are, what they may be asked, how much leaves."""

import math
from typing import Annotated, Literal

from msgspec import Meta, Struct

_NAME = "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
Datatype = Literal[
    "BOOL", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64", "FP16", "FP32", "FP64"
]


class PredictInput(Struct, frozen=True, forbid_unknown_fields=True):
    """One input tensor of a model: anything else is refused before the model server sees it."""

    name: Annotated[str, Meta(min_length=1, description="Its name in the Open Inference Protocol.")] = "input"
    datatype: Annotated[Datatype, Meta(description="Its type: FP32, INT64, BOOL …")] = "FP32"
    shape: Annotated[
        tuple[int, ...], Meta(description="Shape of ONE example, without the batch axis; -1 where any size goes.")
    ] = ()
    low: Annotated[float, Meta(description="Smallest value.")] = -math.inf
    high: Annotated[float, Meta(description="Largest value.")] = math.inf
    nan: Annotated[bool, Meta(description="Whether NaN may stand for what is missing. Infinity is always refused.")] = (
        False
    )


Answer = Literal["record", "labels", "noise", "block", "suspend"]


class PredictStep(Struct, frozen=True, forbid_unknown_fields=True):
    """What is done about an input that looks like a query attack, once its caller or kin was noticed so often."""

    after: Annotated[int, Meta(ge=1, le=1000, description="From this many inputs noticed.")] = 1
    answer: Annotated[
        Answer,
        Meta(
            description="record: only that; labels: no scores; noise: noisy scores; block: no answer; suspend: no "
            "answer to anything else of its caller either."
        ),
    ] = "labels"


LADDER = (PredictStep(1, "labels"), PredictStep(5, "block"))
"""What is done when the operator says nothing."""


COPYING_LADDER = (PredictStep(1, "record"), PredictStep(2, "labels"), PredictStep(8, "block"))
"""What is done about callers who ask like somebody who copies the model, when the operator says nothing."""


class PredictExposure(Struct, frozen=True, forbid_unknown_fields=True):
    """What a caller gets once a copy made of its answers would be so good."""

    at: Annotated[float, Meta(gt=0, le=1, description="From this share of honest inputs on which the copy agrees.")] = (
        0.9
    )
    answer: Annotated[Answer, Meta(description="As in predict.answers.")] = "labels"


class PredictModel(Struct, frozen=True, forbid_unknown_fields=True):
    """One predictive model, and the server that runs it over the Open Inference Protocol v2."""

    name: Annotated[str, Meta(pattern=_NAME, description="Name that clients ask for.")] = "model"
    url: Annotated[str, Meta(pattern="^https?://", description="Base URL of the model server, without /v2.")] = (
        "http://127.0.0.1:8000"
    )
    upstream_name: Annotated[str, Meta(description="Its name on that server; empty: the same.")] = ""
    version: Annotated[str, Meta(description="Its version on that server; empty: the server's choice.")] = ""
    api_key_env: Annotated[str, Meta(description="Environment variable that holds the server's key.")] = ""
    api_key_file: Annotated[str, Meta(description="File whose first line is the server's key.")] = ""
    timeout_s: Annotated[float, Meta(gt=0, le=3600, description="Longest wait for the next byte.")] = 30.0
    encoding: Annotated[
        Literal["json", "binary"],
        Meta(description="How tensors go to the server: json (every server), binary (Triton, MLServer, KServe)."),
    ] = "json"
    rows: Annotated[int, Meta(ge=1, le=1000000, description="Most examples in one request.")] = 64
    elements: Annotated[int, Meta(ge=1, le=268435456, description="Most numbers in one request.")] = 4194304
    body_bytes: Annotated[int, Meta(ge=64, le=268435456, description="Largest request body.")] = 16777216
    scores: Annotated[str, Meta(description="Output with a score for each class; empty: there is none.")] = "scores"
    label: Annotated[str, Meta(description="Output with the class; empty: there is none. No other output leaves.")] = (
        "label"
    )
    classes: Annotated[int, Meta(ge=2, le=100000, description="How many classes there are.")] = 2
    score_kind: Annotated[
        Literal["probabilities", "logits"],
        Meta(description="What scores are. Where a release changes them, probabilities leave."),
    ] = "probabilities"
    profile: Annotated[
        str, Meta(description="File of `bartizan predict calibrate`; without it nothing is watched for query attacks.")
    ] = ""
    sketch: Annotated[
        str, Meta(description="File of `bartizan predict sketch`; without it nobody is watched for copying the model.")
    ] = ""
    inputs: Annotated[tuple[PredictInput, ...], Meta(min_length=1, description="Every input tensor.")] = (
        PredictInput(),
    )


class PredictRelease(Struct, frozen=True, forbid_unknown_fields=True):
    """How much of a prediction leaves, and to whom. The first that matches counts; labels only where none does."""

    callers: Annotated[tuple[str, ...], Meta(min_length=1, description="Ids of keys, as patterns with *.")] = ("*",)
    models: Annotated[tuple[str, ...], Meta(min_length=1, description="Models, as patterns with *.")] = ("*",)
    top: Annotated[int, Meta(ge=0, description="Only so many highest scores leave, others are 0; 0: all.")] = 0
    digits: Annotated[int, Meta(ge=-1, le=15, description="Digits after the point; -1: all.")] = -1
    labels_only: Annotated[bool, Meta(description="Only the class leaves: its score is 1.")] = False
    noise: Annotated[
        float, Meta(ge=0, le=20, description="Deviation added to log-scores, a keyed function of the input; 0: none.")
    ] = 0.0
    mislead: Annotated[
        bool,
        Meta(
            description="Whether inputs unlike honest ones get wrong answers, a keyed function of the input; needs a "
            "sketch. Honest strangers get them too."
        ),
    ] = False


class Predict(Struct, frozen=True, forbid_unknown_fields=True):
    """Predictive models. Without any, the gateway has no such routes."""

    models: Annotated[tuple[PredictModel, ...], Meta(description="The models.")] = ()
    releases: Annotated[
        tuple[PredictRelease, ...],
        Meta(description="How much of an answer leaves; without any, scores leave as the model gives them."),
    ] = ()
    answers: Annotated[
        tuple[PredictStep, ...],
        Meta(description="What is done about query attacks; none: labels from the first on, block from the fifth."),
    ] = ()
    copying: Annotated[
        tuple[PredictStep, ...],
        Meta(
            description="What is done about callers whose questions are unlike honest ones; none: record, from the "
            "second window on labels, from the eighth block."
        ),
    ] = ()
    exposed: Annotated[
        tuple[PredictExposure, ...],
        Meta(description="What is done about callers who were told enough for a good copy; none: they are told of."),
    ] = ()
    forget_s: Annotated[float, Meta(gt=0, le=2592000, description="What was noticed counts for so long.")] = 3600.0
    history: Annotated[
        int, Meta(ge=64, le=1048576, description="Latest inputs of a model that new ones are compared with.")
    ] = 16384
    answer_noise: Annotated[float, Meta(gt=0, le=20, description="Deviation of log-scores in the answer `noise`.")] = (
        1.0
    )
    noise_key_env: Annotated[
        str, Meta(description="Environment variable with the secret behind `noise`: 16 characters or more.")
    ] = ""
    noise_key_file: Annotated[str, Meta(description="File whose first line is that secret.")] = ""
