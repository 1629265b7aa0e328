"""Every error Bartizan raises on purpose: one base, six kinds. Expected outcomes are values, not errors.

BartizanError
├── BadRequest       a client sent something we cannot take
├── Refused          a control said no, or the caller may not do this
├── UpstreamFailed   the model, tool server or store behind us failed
├── BadArtifact      a file, model, package or data set is not what it claims to be
├── BadEvidence      a ledger, checkpoint, proof or signature does not hold
└── BadSettings      the operator's configuration cannot be used
"""


class BartizanError(Exception):
    """Base of all our errors. The text says the thing, the value and what was expected; `hint()` says what to do."""

    def __init__(self, what: str, *, hint: str = "") -> None:
        """Keep `what` as the message and `hint` as the next step for the person who reads it."""
        super().__init__(what)
        self._hint = hint

    def hint(self) -> str:
        """Return the next step, or an empty string when the message already says it."""
        return self._hint


class BadRequest(BartizanError):
    """A client sent something that cannot be accepted."""


class Refused(BartizanError):
    """A control said no, or the caller lacks the right."""


class UpstreamFailed(BartizanError):
    """What stands behind us (model, tool server, store) failed or did not answer in time."""


class BadArtifact(BartizanError):
    """A file, model, package or data set is not what it claims to be, or cannot be read safely."""


class BadEvidence(BartizanError):
    """A ledger, checkpoint, proof or signature does not hold."""


class BadSettings(BartizanError):
    """The operator's configuration cannot be used as written."""
