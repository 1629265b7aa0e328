"""`bartizan data review | release | reject`: a person looks at the rows that were held back, and decides."""

import argparse
import json
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from bartizan.cli.base import FAILED, OK
from bartizan.core.display import visible
from bartizan.data.admission import Admission, Review
from bartizan.data.checks.sounds import spectrogram
from bartizan.data.inspection import Flagged
from bartizan.data.manifest import Manifest
from bartizan.data.media import picture, sound
from bartizan.data.quarantine import opened, reject, release, waiting
from bartizan.data.rows import values
from bartizan.data.staging import DATA

_COLUMNS = 28
_SHOWN_CHARACTERS = 600


def review_arguments(act: argparse.ArgumentParser) -> None:
    """Add what `review` takes."""
    act.add_argument("name", nargs="?", metavar="NAME", help="name of the data set (default: list what waits)")
    act.add_argument("--rows", type=int, default=10, metavar="N", help="how many flagged rows to show")
    act.add_argument("--json", action="store_true", help="one JSON object on standard output")


def decision_arguments(act: argparse.ArgumentParser) -> None:
    """Add who decides and why."""
    act.add_argument("name", metavar="NAME", help="name of the data set")
    act.add_argument("--who", required=True, help="the person who decides")
    act.add_argument("--why", required=True, help="the reason; it goes into the ledger")


def release_arguments(act: argparse.ArgumentParser) -> None:
    """Add what `release` takes."""
    decision_arguments(act)
    act.add_argument("--without-flagged", action="store_true", help="leave the flagged rows out")


def review(admission: Admission, args: argparse.Namespace) -> int:
    """Show what waits, or the flagged rows of one data set as a person would look at them."""
    if args.name is None:
        for name in waiting(admission):
            print(f"{name}: {'; '.join(visible(one) for one in opened(admission, name)[1].reasons)}")
        return OK
    found, held = opened(admission, args.name)
    if args.json:
        print(json.dumps(msgspec.to_builtins(held)))
        return OK
    print_held(found, held)
    shown = held.findings.rows[: args.rows]
    records = values(found, [(one.table, one.row) for one in shown])
    for one in shown:
        print(f"\n{visible(one.table)}, row {one.row + 1}: {visible(one.why)}")
        pixels = pixels_of(found, one)
        if pixels is not None:
            print(half_blocks(pixels))
        for name, value in records.get((one.table, one.row), {}).items():
            print(f"    {visible(name)}: {visible(str(value))[:_SHOWN_CHARACTERS]}")
    return OK


def print_held(found: Manifest, held: Review) -> None:
    """Say why a version waits and what the next step is."""
    head = found.head
    print(f"HELD {head.name} v{head.version}: {len(held.findings.rows)} of {head.rows} rows are flagged")
    for reason in held.reasons:
        print(f"  {visible(reason)}")
    done = f", approved by {', '.join(held.approved_by)}" if held.approved_by else ""
    print(
        f"needs {held.people} {'people' if held.people > 1 else 'person'}{done}: bartizan data review {head.name}, then"
    )
    print(f"bartizan data release {head.name} --who NAME --why REASON [--without-flagged], or reject")


def decide(admission: Admission, args: argparse.Namespace) -> int:
    """Release what waits; exit code 1 while a second person is needed."""
    result = release(admission, args.name, args.who, args.why, drop=args.without_flagged)
    if isinstance(result, Review):
        print(f"approved by {', '.join(result.approved_by)}; {args.name} needs {result.people} people")
        return FAILED
    head = result.manifest.head
    print(f"released {head.name} v{head.version}: {head.rows} rows\nin   {result.manifest.folder}")
    return OK


def refuse(admission: Admission, args: argparse.Namespace) -> int:
    """Reject what waits."""
    reject(admission, args.name, args.who, args.why)
    print(f"rejected: nothing of {args.name} waits any more")
    return OK


def half_blocks(pixels: npt.NDArray[np.uint8]) -> str:
    """Return a picture (height, width, 1 or 3) as text: two pixels a character, in colour."""
    step = max(1, -(-pixels.shape[1] // _COLUMNS))
    small = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels[:, :, :3]
    small = small[::step, ::step]
    if len(small) % 2:
        small = np.concatenate([small, np.zeros_like(small[:1])])
    lines = []
    for upper, lower in zip(small[::2], small[1::2], strict=True):
        cells = [
            f"\x1b[38;2;{a[0]};{a[1]};{a[2]}m\x1b[48;2;{b[0]};{b[1]};{b[2]}m▀"
            for a, b in zip(upper.tolist(), lower.tolist(), strict=True)
        ]
        lines.append("".join(cells) + "\x1b[0m")
    return "\n".join(lines)


def pixels_of(found: Manifest, one: Flagged) -> npt.NDArray[np.uint8] | None:
    """Return the pixels (height, width, 1 or 3) of a flagged row, a sound as its spectrogram; None when it has none."""
    data: Path = found.folder / DATA
    if found.head.format == "images":
        return picture((data / one.table).read_bytes())
    if found.head.format == "audio":
        samples, rate = sound((data / one.table).read_bytes())
        return None if samples is None else spectrogram(samples, rate)
    if found.head.format != "npz":
        return None
    (table,) = [table for table in found.head.tables if table.name == one.table]
    with np.load(data / table.file, allow_pickle=False) as file:
        for key in table.name[len(table.file) + 1 : -1].split("+"):
            if file[key].ndim in (3, 4) and file[key].dtype == np.uint8:
                row: npt.NDArray[np.uint8] = file[key][one.row]
                return row if row.ndim == 3 else row[:, :, None]
    return None
