"""A store, a quarantine and a signer in a temporary folder, and a function that admits into them."""

from types import SimpleNamespace

import pytest

from bartizan.core.clock import StoppedClock
from bartizan.data.admission import Admission, Request
from bartizan.data.manifest import Provenance
from bartizan.data.store import Store, open_signer


@pytest.fixture
def place(tmp_path):
    """Everything an admission needs; `records` holds what went into the ledger."""
    signer = open_signer(tmp_path / "keys/data.key", "test/data")
    records = []
    admission = Admission(
        Store(tmp_path / "store", signer.verifier_key()),
        tmp_path / "quarantine",
        signer,
        StoppedClock(),
        lambda kind, body: records.append((kind, dict(body))),
    )

    def admit(path, name="set", label="", source="here"):
        return admission.admit_unchecked(Request(path, name, Provenance(source), label))

    return SimpleNamespace(
        admission=admission, store=admission.store, admit=admit, records=records, signer=signer, root=tmp_path
    )
