"""The five families of an audit, in order, each kept on disk when it is done."""

from __future__ import annotations

from pathlib import Path

from bartizan.lab.auditing.answers import attributes, extraction, inversion
from bartizan.lab.auditing.family import Family, digest, kept
from bartizan.lab.auditing.members import membership, one_run
from bartizan.lab.auditing.subject import Progress, Subject
from bartizan.lab.membership.stacked import Recipe

FAMILIES = 5


def families(
    subject: Subject, promised: tuple[Recipe, float, float] | None, home: Path, progress: Progress
) -> list[Family]:
    """Return what each family found. `promised`: a private recipe, its epsilon and delta, which one run may refute."""
    said = subject.target.labels(subject.members.x[:64])
    parts = (subject.members.x, subject.members.y, subject.others.x, subject.others.y, said)
    how = (subject.recipe, subject.models, subject.seed, subject.price, subject.questions, subject.knows_members)
    folder = home / f"audit-{digest(*parts, how, promised)}"
    found = []

    def done(name: str, number: int) -> None:
        progress(name, number, FAMILIES)

    done("membership", 0)
    found.append(kept(folder, "membership", lambda: membership(subject, progress)))
    done("one-run audit", 1)
    found.append(kept(folder, "one-run audit", lambda: one_run(subject, promised)))
    done("extraction", 2)

    def by_answers() -> Family:
        """Extraction and inversion share the copy, so the second is kept beside the first."""
        stolen, copy = extraction(subject, progress)
        kept(folder, "inversion", lambda: inversion(subject, copy))
        return stolen

    found.append(kept(folder, "extraction", by_answers))
    done("inversion", 3)
    found.append(kept(folder, "inversion", lambda: inversion(subject, extraction(subject, progress)[1])))
    done("attribute inference", 4)
    found.append(kept(folder, "attribute inference", lambda: attributes(subject)))
    done("attribute inference", FAMILIES)
    return found
