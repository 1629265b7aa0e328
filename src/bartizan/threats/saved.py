"""A row as bytes and back, so that proofs can run in processes of their own and an interrupted run can go on.

A threat itself is code and is never stored: a row names it, and the register gives it back.
"""

from typing import Any

import msgspec

from bartizan.core.errors import BadEvidence
from bartizan.core.measures import AtLeast, AtMost, Measurement
from bartizan.threats import THREATS
from bartizan.threats.base import Checked, Evidence, Row, State

_BY_ID = {threat.id: threat for threat in THREATS}


class _Claim(msgspec.Struct, frozen=True):
    text: str
    measured: Measurement
    at_most: bool
    bound: float
    held: bool
    decides: bool


class _Row(msgspec.Struct, frozen=True):
    threat: str
    state: State
    why: str
    evidence: Evidence | None
    claims: tuple[_Claim, ...]


def encode(row: Row) -> bytes:
    """Return `row` as JSON on one line."""
    claims = tuple(
        _Claim(one.text, one.measured, isinstance(one.bound, AtMost), one.bound.bound, one.held, one.decides)
        for one in row.claims
    )
    return msgspec.json.encode(_Row(row.threat.id, row.state, row.why, row.evidence, claims), enc_hook=_plain)


def decode(data: bytes) -> Row:
    """Return the row that `encode` wrote. Raises BadEvidence if it is none."""
    try:
        saved = msgspec.json.decode(data, type=_Row)
        threat = _BY_ID[saved.threat]
    except (msgspec.MsgspecError, KeyError, ValueError) as error:
        raise BadEvidence(f"a saved row that cannot be read: {type(error).__name__}: {error}") from error
    claims = tuple(
        Checked(one.text, one.measured, (AtMost if one.at_most else AtLeast)(one.bound), one.held, one.decides)
        for one in saved.claims
    )
    return Row(threat, saved.state, saved.why, saved.evidence, claims)


def _plain(value: Any) -> Any:
    """Turn a NumPy number that a proof left in a figure into a plain one."""
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{type(value).__name__}: cannot be kept")
