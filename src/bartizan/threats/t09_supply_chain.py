"""T09: a hostile model file, package or agent part gets in. An inert corpus of such things meets the scan at the door.

What would have been let in is what the scan calls CLEAN; without a scan that is everything. Signatures, the lock and
people's review stand behind it and are not measured by this claim.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from bartizan.core.measures import AtLeast, AtMost, Measurement, proportion
from bartizan.lab.hostile_agents import honest_agents, hostile_agents, hostile_by_intent
from bartizan.lab.hostile_artefacts import Sample, benign, hostile
from bartizan.lab.hostile_formats import honest_formats, hostile_formats
from bartizan.lab.hostile_packages import honest_packages, hostile_packages
from bartizan.lab.stdlib_calls import stdlib_calls
from bartizan.supply.base import Budget, Scanned, Verdict
from bartizan.supply.scan import scan_bytes
from bartizan.threats.base import Claim, Evidence, Threat, Transcript
from bartizan.threats.bench import Bench

_RANDOM_CALLS = 150


def run(bench: Bench) -> Evidence:
    """Scan the hostile and the honest things; count what would have got in and what would have been refused."""
    families: dict[str, Sequence[Sample]] = {
        "model files": list(hostile()),
        "models in other formats": list(hostile_formats()),
        "random calls of the standard library": list(stdlib_calls(_RANDOM_CALLS * bench.effort, bench.seed)),
        "packages": list(hostile_packages()),
        "agent parts": list(hostile_agents()),
    }
    good = [*benign(), *honest_formats(), *honest_packages(), *honest_agents()]
    scanned = {name: _scan_all(bench, samples, f"hostile {name}") for name, samples in families.items()}
    results = [one for part in scanned.values() for one in part]
    honest = _scan_all(bench, good, "honest files")
    intent = _scan_all(bench, list(hostile_by_intent()), "hostile by intent")
    passed = [one for one in results if one.verdict is Verdict.CLEAN]
    stopped = len(results) - len(passed)

    def share(found: Sequence[Scanned], *verdicts: Verdict) -> Measurement:
        return proportion(sum(one.verdict in verdicts for one in found), len(found), seed=bench.seed)

    return Evidence(
        off=proportion(len(results), len(results), seed=bench.seed),
        on=share(results, Verdict.CLEAN),
        measured={
            "hostile blocked with a reason": share(results, Verdict.BLOCK),
            "benign blocked": share(honest, Verdict.BLOCK, Verdict.UNREADABLE),
            "benign clean without review": share(honest, Verdict.CLEAN),
            "hostile by intent only, sent to a person": share(intent, Verdict.REVIEW),
        },
        families=_families(scanned, bench.seed),
        stopped_by={"bartizan scan": stopped},
        worst=tuple(_transcript(one, "on") for one in passed[:2]) or (_transcript(results[0], "on"),),
        notes=(
            f"{len(results)} hostile and {len(honest)} honest files, packages and agent parts, made "
            f"of bytes by Bartizan "
            f"itself and never loaded; verdicts on the hostile ones: {_counts(results)}.",
            "Without a scan everything is let in, so the figure without the control is what was put in.",
            f"{len(intent)} skills that are hostile in plain words only have no structure to find and are not part of "
            "the claim: the scan sends everything that instructs an agent to a person, honest skills as well, until it "
            "is approved.",
            "The corpus was written by the scanner's own authors; a corpus of others will find what this one does not.",
        ),
    )


def _families(scanned: Mapping[str, Sequence[Scanned]], seed: int) -> dict[str, tuple[Measurement, Measurement]]:
    return {
        name: (
            proportion(len(found), len(found), seed=seed),
            proportion(sum(one.verdict is Verdict.CLEAN for one in found), len(found), seed=seed),
        )
        for name, found in scanned.items()
    }


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
    attacks=(
        "hostile model files: pickle gadgets and shapes, random library calls, archives, headers, chat templates",
        "hostile models in other formats: TensorFlow, ONNX, Keras, HDF5, skops, TorchScript, PMML, Core ML, TFLite",
        "hostile packages: decoded and downloaded payloads, hooks, .pth files, imitated names, changed lock entries",
        "hostile agent parts: skills with hidden orders and commands, poisoned tools, MCP configurations",
    ),
    controls=(
        "bartizan scan: default deny, content before name, every byte accounted for",
        "bartizan sign and verify: OpenSSF model signing, every differing file named (not measured by this claim)",
        "bartizan admit, lock and guard: people decide, a signed lock, no start without it (not "
        "measured by this claim)",
    ),
    claims=(
        Claim("Nothing hostile of the corpus would be let in.", lambda e: e.on, AtMost(0.02)),
        Claim("Honest files are not refused.", lambda e: e.measured["benign blocked"], AtMost(0.05)),
        Claim("Honest files pass without review.", lambda e: e.measured["benign clean without review"], AtLeast(0.85)),
    ),
    residual=(
        "What is hostile only by its intent, in plain words or in ordinary code, has no structure to find: the scan "
        "sends what instructs an agent to a person, once, and people must read it. Packages are code: CLEAN says that "
        "no published pattern is in them. Classes "
        "of libraries that are on no list go to review; what their methods do later is trusted. The "
        "guard looks once, at the "
        "start. A signature says who signed, not that content is harmless."
    ),
    advice=(
        "Run `bartizan scan --strict` on every model, package and skill before it is used; let its exit code decide.",
        "Let new things in with `bartizan admit` and start servers through `bartizan guard`.",
        "Install from lock files with hashes and audit them with `--osv`; ask for safetensors instead of pickles.",
    ),
    run=run,
)
