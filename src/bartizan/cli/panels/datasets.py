"""The page for data sets: what waits in quarantine, shown as a person would look at it, and what training may read."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bartizan.cli.data import recording
from bartizan.cli.data_review import pixels_of
from bartizan.core.clock import Clock
from bartizan.core.errors import BadRequest
from bartizan.core.sections import Settings
from bartizan.dashboard.panels import Action, Item, Part
from bartizan.dashboard.people import Role
from bartizan.data.admission import Admission, Review
from bartizan.data.inspection import Flagged
from bartizan.data.manifest import Manifest
from bartizan.data.quarantine import opened, reject, release, waiting
from bartizan.data.rows import values as values_of
from bartizan.data.staging import DATA
from bartizan.data.store import Store, open_signer

SHOWN_ROWS = 24
"""Flagged rows of a data set that its page shows; `bartizan data review` shows more."""
_LEAST_SIDE = 96
_MOST_TEXT, _MOST_SOUND = 2000, 2 << 20
_SOUNDS = {".wav": "audio/wav", ".flac": "audio/flac", ".mp3": "audio/mpeg", ".ogg": "audio/ogg"}
_HELD = "held:"


@dataclass(frozen=True)
class DataSets:
    """Versions that wait for a review first, then what is admitted. Admission itself counts who approved."""

    settings: Settings
    clock: Clock
    name: str = "data"
    title: str = "Data sets"
    about: str = "Rows that a check held back wait here for people; only what is released may be trained on."
    columns: tuple[str, ...] = ("data set", "version", "rows", "state", "source")
    actions: tuple[Action, ...] = (
        Action("clean", "Release without the flagged rows", Role.REVIEWER),
        Action("all", "Release all rows, flagged ones too", Role.REVIEWER, danger=True),
        Action("reject", "Reject all of it", Role.REVIEWER, danger=True),
    )

    def items(self) -> Sequence[Item]:
        """Return what waits, then the admitted versions, the latest of each first."""
        if not Path(self.settings.data.store).is_dir() and not Path(self.settings.data.quarantine).is_dir():
            return []
        admission = self._admission(None)
        held = [_held(*opened(admission, name)) for name in waiting(admission)]
        store = admission.store
        return held + [
            _admitted(store.open(name, version)) for name in store.names() for version in reversed(store.versions(name))
        ]

    def detail(self, item: str) -> Sequence[Part]:
        """Return why it waits and the rows that were flagged, pictures as pictures; or what an admitted one is."""
        admission = self._admission(None)
        if not item.startswith(_HELD):
            name, _, version = item.rpartition(" v")
            found = admission.store.open(name, int(version))
            about = found.head.provenance
            names = ("source", "licence", "collector", "collected", "derived_from")
            rows = [(one, str(getattr(about, one))) for one in names if getattr(about, one)]
            return (Part("Where it comes from", rows=(*rows, ("root", found.root.hex()))),)
        found, review = opened(admission, item.removeprefix(_HELD))
        flagged = review.findings.rows
        parts = [Part("Why it waits", "\n".join(review.reasons))]
        if review.approved_by:
            kept = "without the flagged rows" if review.drop else "with all rows"
            parts.append(Part("Approved so far", f"{', '.join(review.approved_by)}: {kept}"))
        if len(flagged) > SHOWN_ROWS:
            parts.append(Part("Flagged rows", f"{len(flagged)}; the first {SHOWN_ROWS} are shown"))
        records = values_of(found, [(one.table, one.row) for one in flagged[:SHOWN_ROWS]])
        return [*parts, *(_row(found, one, records.get((one.table, one.row), {})) for one in flagged[:SHOWN_ROWS])]

    def act(self, action: str, item: str, who: str, values: Mapping[str, str]) -> str:
        """Approve or reject; the last approval needed moves the version into the store."""
        if not item.startswith(_HELD):
            raise BadRequest(f"{item}: nothing of it waits")
        name = item.removeprefix(_HELD)
        with recording(self.settings) as record:
            admission = self._admission(record)
            if action == "reject":
                reject(admission, name, who, values["why"])
                return f"{name} is rejected; nothing of it waits any more"
            result = release(admission, name, who, values["why"], drop=action == "clean")
        if isinstance(result, Review):
            return f"recorded; {result.people - len(result.approved_by)} more to approve the same"
        head = result.manifest.head
        return f"{head.name} v{head.version} is released: {head.rows} rows"

    def _admission(self, record: object) -> Admission:
        section = self.settings.data
        signer = open_signer(Path(section.key_file), section.origin)
        store = Store(Path(section.store), signer.verifier_key())
        return Admission(store, Path(section.quarantine), signer, self.clock, record)  # type: ignore[arg-type]


def _held(found: Manifest, review: Review) -> Item:
    head = found.head
    people = f"waits: {len(review.findings.rows)} flagged, {len(review.approved_by)} of {review.people} people"
    cells = (head.name, f"v{head.version}", str(head.rows), people, head.provenance.source)
    return Item(_HELD + head.name, cells, "warn", ("clean", "all", "reject"), critical=review.people > 1)


def _admitted(found: Manifest) -> Item:
    head = found.head
    name = f"{head.name} v{head.version}"
    return Item(name, (head.name, f"v{head.version}", str(head.rows), "admitted", head.provenance.source), "good")


def _row(found: Manifest, one: Flagged, record: Mapping[str, Any]) -> Part:
    title = f"{one.table}, row {one.row + 1}: {one.why}"
    if record:
        return Part(title, rows=tuple((name, str(value)[:_MOST_TEXT]) for name, value in record.items()))
    if found.head.format == "audio":
        data = (found.folder / DATA / one.table).read_bytes()
        kind = _SOUNDS.get(Path(one.table).suffix.lower())
        if kind is None or len(data) > _MOST_SOUND:
            return Part(title, text=f"a sound of {len(data)} bytes that the page does not play")
        return Part(title, audio=f"data:{kind};base64,{base64.b64encode(data).decode()}")
    pixels = pixels_of(found, one)
    return Part(title, text="no picture") if pixels is None else Part(title, image=as_png(pixels))


def as_png(pixels: npt.NDArray[np.uint8]) -> str:
    """Return a picture (height, width, 1 or 3) as a data: URI; small ones are enlarged without blurring."""
    from PIL import Image

    times = max(1, -(-_LEAST_SIDE // max(pixels.shape[:2])))
    large = pixels.repeat(times, axis=0).repeat(times, axis=1)
    kept = io.BytesIO()
    Image.fromarray(large[:, :, 0] if large.shape[2] == 1 else large[:, :, :3]).save(kept, "PNG")
    return "data:image/png;base64," + base64.b64encode(kept.getvalue()).decode()
