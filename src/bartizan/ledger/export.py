"""Writes a log out as JSON lines that anybody can check without Bartizan: records, contents, checkpoints, public key.

Line 1 says what it is and holds the verifier key; then one line for each checkpoint, then one for each record.
`ledger/standalone.py` verifies such a file with the standard library and one signature library.
"""

import base64
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from bartizan.core.errors import BadEvidence
from bartizan.core.sections.ledger import Ledger as Section
from bartizan.ledger import merkle
from bartizan.ledger.checkpoint import read_notes
from bartizan.ledger.log import Ledger, public_key_file
from bartizan.ledger.tables.opening import must_exist, open_tables

FORMAT = "bartizan-ledger-export/1"


def lines(section: Section) -> Iterator[str]:
    """Yield the lines of the export. Raises BadEvidence when log or checkpoints cannot be read."""
    must_exist(section)
    checkpoint_file = Path(section.checkpoint_file)
    try:
        key = public_key_file(checkpoint_file).read_text(encoding="utf-8").strip()
        text = checkpoint_file.read_text(encoding="utf-8") if checkpoint_file.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise BadEvidence(f"{checkpoint_file}: the checkpoints or their key cannot be read: {error}") from error
    yield _line({"format": FORMAT, "key": key})
    for note in read_notes(text, key):
        yield _line({"checkpoint": str(note)})
    with closing(open_tables(section)) as tables, tables.reading():
        for seq, record, _, _, salt, body in tables.everything():
            row: dict[str, Any] = {"seq": seq, "record": base64.b64encode(record).decode()}
            if salt is not None and body is not None:
                row |= {"salt": base64.b64encode(salt).decode(), "body": base64.b64encode(body).decode()}
            yield _line(row)


def proof(ledger: Ledger, seq: int) -> dict[str, Any]:
    """Return everything that shows record `seq` to somebody who holds only the public key: a proof and a checkpoint."""
    found = ledger.entries(seq, 1)
    if not found or found[0].record.seq != seq:
        raise BadEvidence(f"record {seq} does not exist: the ledger has {ledger.size()} records")
    sealed = ledger.checkpoint()
    path = ledger.inclusion_proof(seq, sealed.size)
    merkle.verify_inclusion(found[0].leaf_hash, seq, sealed.size, path, sealed.root)
    return {
        "seq": seq,
        "kind": found[0].record.kind,
        "time_ns": found[0].record.time_ns,
        "body": found[0].body,
        "leaf_hash": found[0].leaf_hash.hex(),
        "proof": [one.hex() for one in path],
        "checkpoint": str(sealed),
    }


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, separators=(",", ":")) + "\n"
