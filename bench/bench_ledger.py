"""What the ledger costs: appending, verifying a million records, proofs. `make bench-ledger`; RECORDS=… for fewer.

Each figure is the median over repeats with its spread. The baseline is SQLite alone with the same durability, so that
the price of evidence is told apart from the price of the disk.
"""

import json
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

from bartizan import __version__
from bartizan.core.clock import SystemClock
from bartizan.ledger import export, standalone
from bartizan.ledger.log import Ledger
from bartizan.ledger.tables.sqlite import connect
from bartizan.ledger.verify import verify

BODY = {"wire": "openai-chat", "model": "m", "verdict": "allow", "status": 200, "caller": "key-1", "bytes": 1234}
RESULT = Path(__file__).parent / "results" / "ledger.json"


def spread(values):
    """Return median, least and most."""
    return {"median": statistics.median(values), "least": min(values), "most": max(values), "repeats": len(values)}


def per_record(write, n, batch):
    """Return microseconds of wall and CPU time a record."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(n // batch):
        write(batch)
    return 1e6 * (time.perf_counter() - wall) / n, 1e6 * (time.process_time() - cpu) / n


def appending(folder, batch, n, repeats=5):
    """Measure the ledger and plain SQLite, turn by turn."""
    ledger = Ledger.open(folder / "log", origin="bench", clock=SystemClock(), checkpoint_file=folder / "c.txt")
    ours, plain = [], []
    with closing(connect(folder / "plain.sqlite")) as db:
        db.execute("CREATE TABLE IF NOT EXISTS t (seq INTEGER PRIMARY KEY, body BLOB)")

        def insert(count):
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT INTO t (body) VALUES (?)", [(json.dumps(BODY),)] * count)
            db.execute("COMMIT")

        for _ in range(repeats):
            ours.append(per_record(lambda count: ledger.append_many([("exchange", BODY)] * count), n, batch))
            plain.append(per_record(insert, n, batch))
    ledger.close()
    return {
        "batch": batch,
        "ledger_wall_us": spread([one[0] for one in ours]),
        "ledger_cpu_us": spread([one[1] for one in ours]),
        "sqlite_wall_us": spread([one[0] for one in plain]),
        "cpu_ratio_to_sqlite": spread([a[1] / b[1] for a, b in zip(ours, plain, strict=True)]),
    }


def verifying(folder, records, repeats=3):
    """Fill a log, then verify it with ours and with the stand-alone verifier in a process of its own."""
    ledger = Ledger.open(folder / "log", origin="bench", clock=SystemClock(), checkpoint_file=folder / "c.txt")
    for _ in range(records // 5000):
        ledger.append_many([("exchange", BODY)] * 5000)
        ledger.checkpoint()
    path = ledger.inclusion_proof(records // 3, records)
    ledger.close()
    ours, alone = [], []
    for _ in range(repeats):
        begun = time.perf_counter()
        assert verify(ledger.section).intact
        ours.append(time.perf_counter() - begun)
    exported = folder / "export.jsonl"
    with exported.open("w") as file:
        file.writelines(export.lines(ledger.section))
    for _ in range(repeats):
        begun = time.perf_counter()
        subprocess.run([sys.executable, standalone.__file__, str(exported), str(folder / "c.txt.pub")], check=True)
        alone.append(time.perf_counter() - begun)
    return {
        "records": records,
        "verify_s": spread(ours),
        "standalone_s": spread(alone),
        "proof_hashes": len(path),
        "export_bytes": exported.stat().st_size,
    }


def main():
    """Measure, print, write."""
    records = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    result = {
        "bartizan": __version__,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "cryptography": version("cryptography"),
        "machine": platform.machine(),
        "appending": [],
    }
    for batch, n in ((1, 500), (64, 6400)):
        with tempfile.TemporaryDirectory() as folder:
            result["appending"].append(appending(Path(folder), batch, n))
    with tempfile.TemporaryDirectory() as folder:
        result["verifying"] = verifying(Path(folder), records)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
