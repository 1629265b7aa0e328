"""Floods and strangers: what admission flags of rows planted into public sets, and of their own. `make bench-strange`.

Into each set of texts: one sentence 20 times, each time with other digits, case and punctuation; and ten lines of other
languages or of no language. Into Adult: one record 20 times, and ten ages that nobody has. `--sentiment` names
vaderSentiment's sdist (MIT), `--rows` the detector's rows (sources with a licence), `--adult` UCI Adult (CC BY 4.0).
Bounds were set with these sets in view.
"""

import argparse
import gzip
import json
import platform
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import polars as pl
from bench import labelled_sets

from bartizan import __version__
from bartizan.data.checks.floods import record_floods, text_floods
from bartizan.data.checks.outliers import number_outliers, text_outliers

RESULT = Path(__file__).parent / "results" / "strange.json"
SEED = 20261129
MOST = 6000
SOURCES = ("banking77", "clinc", "gpteacher", "gpteacher_out", "sgd", "t0")
STRANGE = (
    "Der schnelle braune Fuchs springt über den faulen Hund im Garten nebenan.",
    "Le petit chat noir dort tranquillement sur le vieux canapé rouge du salon.",
    "El viejo carpintero guarda sus herramientas oxidadas detrás del granero.",
    "Stary młynarz codziennie zamiata podwórko przed wschodem słońca.",
    "Вчера вечером соседи долго спорили о цене старого велосипеда.",
    "xqz vbnk plort wuzz grelk frob zint mopl",
    "asdkj qwoeiu zmxnc lkjsd poqwie bvnmx",
    "Tulivatko naapurin lehmät eilen takaisin laitumelta ennen sadetta?",
    "ahfk3 plrtq wmmnb ztrrp qqkjh vvbnw",
    "Komşunun küçük kedisi dün akşam çatıdan aşağıya atladı.",
)
FLOOD = "Visit the new Harbour Street bakery {n} times, everybody there loves their bread"


def of_texts(texts):
    """Plant and count in one set of texts."""
    flood = [FLOOD.format(n=at) + "!" * (at % 3) for at in range(20)]
    flood = [one.upper() if at % 4 == 0 else one for at, one in enumerate(flood)]
    every = [*texts, *flood, *STRANGE]
    start = time.perf_counter()
    floods, strangers = text_floods(every).flagged, text_outliers(every).flagged
    return counted(len(texts), floods, strangers, time.perf_counter() - start)


def of_records(frame):
    """Plant and count in Adult: the flood is the first record, strange ages are beyond 130."""
    odd = frame[1:11].with_columns(age=pl.Series(range(150, 250, 10), dtype=pl.Int64))
    every = pl.concat([frame, *[frame[:1]] * 20, odd])
    start = time.perf_counter()
    floods = record_floods([one.to_list() for one in every]).flagged
    numbers = {one.name: one.cast(float).to_numpy() for one in every if one.dtype.is_numeric()}
    strangers = number_outliers(numbers, every.height).flagged
    return counted(frame.height, floods, strangers, time.perf_counter() - start)


def counted(size, floods, strangers, seconds):
    """Count what is flagged: `size` honest rows stand first, then 20 of the flood, then the strangers."""
    return {
        "rows": size,
        "flood_found": int(floods[size : size + 20].sum()),
        "strangers_found": int(strangers[size + 20 :].sum()),
        "honest_in_floods": float(floods[:size].mean()),
        "honest_strangers": float(strangers[:size].mean()),
        "seconds": seconds,
    }


def main():
    """Measure, write the result, print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentiment", type=Path, required=True, help=labelled_sets.SENTIMENT)
    parser.add_argument("--rows", type=Path, required=True, help="train.jsonl.gz of the detector's rows")
    parser.add_argument("--adult", type=Path, required=True)
    args = parser.parse_args()
    rng = np.random.default_rng(SEED)
    sets = defaultdict(list)
    with gzip.open(args.rows, "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            if row["source"] in SOURCES and row["label"] == 0:
                sets[row["source"]].append(row["text"])
    for which in ("movieReviewSnippets", "tweets", "nytEditorialSnippets", "amazonReviewSnippets"):
        sets[which] = labelled_sets.sentiment(args.sentiment, which)[0]
    found = {}
    for name, texts in sets.items():
        found[name] = of_texts([texts[at] for at in rng.permutation(len(texts))[:MOST].tolist()])
        print(name, json.dumps(found[name]), flush=True)
    found["Adult"] = of_records(labelled_sets.adult(args.adult)[0][:20_000])
    result = {
        "bartizan": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "seed": SEED,
        "floods_found": f"{sum(one['flood_found'] for one in found.values())} of {19 * len(found) + 1}",
        "strangers_found": f"{sum(one['strangers_found'] for one in found.values())} of {10 * len(found)}",
        "most_honest_in_floods": max(one["honest_in_floods"] for one in found.values()),
        "most_honest_strangers": max(one["honest_strangers"] for one in found.values()),
        "sets": found,
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps({key: value for key, value in result.items() if key != "sets"}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
