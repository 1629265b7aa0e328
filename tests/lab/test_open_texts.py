"""Texts out of published archives: sentences, pages, licences, and no archive but the one that was named."""

import hashlib
import io
import random
import tarfile
import zipfile
from dataclasses import replace

import pytest

from bartizan.core.errors import BadArtifact
from bartizan.lab import open_texts
from bartizan.lab.open_texts import Archive, gathered, pages, translated

CATALOGUE = r"""
msgid ""
msgstr ""
"Project-Id-Version: x\n"

#, python-format
msgid "Add another item to the list"
msgstr "Einen weiteren Eintrag hinzufügen, "
"der \"%(name)s\" heißt."

msgid "Yes"
msgstr "Ja"

msgid "%d thing was deleted from the list"
msgid_plural "%d things"
msgstr[0] "%d Ding wurde aus der Liste entfernt"
msgstr[1] "%d Dinge wurden aus der Liste entfernt"
"""


def test_translations_are_read_in_order_and_short_ones_dropped():
    """Joined over lines, with their quotes; the header is no sentence."""
    assert translated(CATALOGUE) == [
        'Einen weiteren Eintrag hinzufügen, der "%(name)s" heißt.',
        "%d Ding wurde aus der Liste entfernt",
    ]


def test_pages_are_cut_between_paragraphs():
    """None is too short or too long, and they hold the document's own words in order."""
    document = "\n\n".join(f"Paragraph {n} says what there is to say about its matter, " * 4 for n in range(80))
    found = list(pages(document, random.Random(1)))
    assert len(found) > 3
    assert all(400 <= len(one) <= 6_000 for one in found)
    assert document.startswith(found[0])


def archives(folder, monkeypatch):
    """Write a wheel with a catalogue and an sdist with a manual; name both as the archives to read."""
    wheel = folder / "a-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("a/locale/de/LC_MESSAGES/django.po", CATALOGUE)
        file.writestr("a/locale/xx/LC_MESSAGES/django.po", CATALOGUE)
    sdist = folder / "b-1.tar.gz"
    with tarfile.open(sdist, "w:gz") as file:
        for name in ("b-1/docs/guide.txt", "b-1/tests/data.txt"):
            raw = ("A guide to the matter.\n\n" * 40).encode()
            member = tarfile.TarInfo(name)
            member.size = len(raw)
            file.addfile(member, io.BytesIO(raw))
    named = (
        Archive(wheel.name, hashlib.sha256(wheel.read_bytes()).hexdigest(), "a", "MIT"),
        Archive(sdist.name, hashlib.sha256(sdist.read_bytes()).hexdigest(), "b", "Apache-2.0", r"/docs/.*\.txt$"),
    )
    monkeypatch.setattr(open_texts, "ARCHIVES", named)
    monkeypatch.setattr(open_texts, "MANUALS", (replace(named[1], name="c"),))
    monkeypatch.setattr(open_texts, "FURTHER", (replace(named[1], name="d", family="user docs"),))
    return wheel


def test_every_row_has_its_source_and_licence(tmp_path, monkeypatch):
    """Languages that are not asked for, and members that are no manual, give nothing."""
    archives(tmp_path, monkeypatch)
    rows = list(gathered(tmp_path, 1))
    assert {(row.source, row.licence, row.attack) for row in rows} == {
        ("docs: b", "Apache-2.0", 0),
        ("catalogue: de", "MIT", 0),
        ("docs: c", "Apache-2.0", 0),
        ("user docs: d", "Apache-2.0", 0),
    }
    assert rows[-1].source == "user docs: d"
    assert rows == list(gathered(tmp_path, 1))


def test_a_changed_or_missing_archive_is_refused(tmp_path, monkeypatch):
    """Its rows would carry a licence that nobody looked up."""
    wheel = archives(tmp_path, monkeypatch)
    wheel.write_bytes(wheel.read_bytes() + b" ")
    with pytest.raises(BadArtifact, match="expected"):
        list(gathered(tmp_path, 1))
    wheel.unlink()
    with pytest.raises(BadArtifact, match="no such file"):
        list(gathered(tmp_path, 1))


def test_each_archive_names_its_file_its_digest_and_its_licence():
    """All of them licences that allow to train on the texts."""
    for one in (*open_texts.ARCHIVES, *open_texts.MANUALS, *open_texts.FURTHER):
        assert len(one.sha256) == 64
        assert one.licence in ("MIT", "Apache-2.0", "BSD-3-Clause", "BSD-2-Clause")
