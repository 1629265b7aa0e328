"""T09: a hostile model file gets loaded. An inert corpus of such files meets the scan that stands before loading.

What would have been loaded is what the scan calls CLEAN; without a scan that is everything. Packages, plugins,
signatures and locks are not part of this claim.
"""

from collections import Counter
from collections.abc import Sequence

from bartizan.core.measures import AtLeast, AtMost, proportion
from bartizan.lab.hostile_artefacts import Sample, benign, hostile
from bartizan.supply.base import Budget, Scanned, Verdict
from bartizan.supply.scan import scan_bytes
from bartizan.threats.base import Claim, Evidence, Threat, Transcript
from bartizan.threats.bench import Bench


def run(bench: Bench) -> Evidence:
    """Scan the hostile and the honest files; count what would have been loaded and what would have been refused."""
    bad, good = list(hostile()), list(benign())
    results = _scan_all(bench, bad, "hostile files")
    honest = _scan_all(bench, good, "honest files")
    passed = [one for one in results if one.verdict is Verdict.CLEAN]
    blocked = sum(one.verdict is Verdict.BLOCK for one in results)
    refused = sum(one.verdict in (Verdict.BLOCK, Verdict.UNREADABLE) for one in honest)
    return Evidence(
        off=proportion(len(bad), len(bad), seed=bench.seed),
        on=proportion(len(passed), len(bad), seed=bench.seed),
        measured={
            "hostile blocked with a reason": proportion(blocked, len(bad), seed=bench.seed),
            "benign blocked": proportion(refused, len(good), seed=bench.seed),
            "benign clean without review": proportion(
                sum(one.verdict is Verdict.CLEAN for one in honest), len(good), seed=bench.seed
            ),
        },
        worst=tuple(_transcript(one, "on") for one in passed[:2]) or (_transcript(results[0], "on"),),
        notes=(
            f"{len(bad)} hostile and {len(good)} honest files, made of bytes by Bartizan itself and never loaded; "
            f"verdicts on the hostile ones: {_counts(results)}.",
            "Without a scan every file is loaded, so the figure without the control is what was put in.",
            "The corpus was written by the scanner's own authors; a corpus of others will find what this one does not.",
        ),
    )


def _scan_all(bench: Bench, samples: Sequence[Sample], what: str) -> list[Scanned]:
    results = []
    for number, sample in enumerate(samples):
        bench.progress(what, number, len(samples))
        result = scan_bytes(memoryview(sample.data), sample.name, Budget())
        bench.record("attempt", {"threat": "T09", "case": sample.name, "verdict": result.verdict.name})
        results.append(result)
    bench.progress(what, len(samples), len(samples))
    return results


def _transcript(result: Scanned, control: str) -> Transcript:
    why = result.findings[0].why if result.findings else "nothing was found in it"
    turns = (("file", result.path), ("scan", f"{result.verdict.name} ({result.format}): {why}"))
    return Transcript(result.path, result.format, control, turns, result.verdict is Verdict.CLEAN, why)


def _counts(results: Sequence[Scanned]) -> str:
    counts = Counter(one.verdict for one in results)
    return ", ".join(f"{count} {verdict.name}" for verdict, count in sorted(counts.items(), reverse=True))


T09 = Threat(
    id="T09",
    name="Supply-chain compromise",
    attacker="gets a hostile model file, package, plugin or update loaded",
    attacks=("hostile model files: pickle gadgets and shapes, archives, headers, chat templates",),
    controls=(
        "bartizan scan: default deny, content before name, every byte accounted for",
        "bartizan sign and verify: OpenSSF model signing, every differing file named (not measured by this claim)",
    ),
    claims=(
        Claim("No hostile file of the corpus would be loaded.", lambda e: e.on, AtMost(0.02)),
        Claim("Honest files are not refused.", lambda e: e.measured["benign blocked"], AtMost(0.05)),
        Claim("Honest files pass without review.", lambda e: e.measured["benign clean without review"], AtLeast(0.85)),
    ),
    residual=(
        "Classes of known libraries go to review, not to judgement: what their methods do later is trusted. "
        "TensorFlow, ONNX and Keras files are read but not part of this corpus; HDF5 is only searched and never clean; "
        "PMML, TFLite and CoreML go to review as unknown. Signatures say who signed, not that content is harmless, and "
        "do not stop an older signed version. Packages, plugins, locks and updates are not covered."
    ),
    advice=(
        "Run `bartizan scan --strict` on every model file before it is loaded, and let its exit code decide.",
        "Ask for safetensors instead of pickles.",
        "Install from lock files with hashes.",
    ),
    run=run,
)
