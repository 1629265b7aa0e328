"""PMML: plain models are clean; entities, includes and addresses are not; class names are for a person."""

import io
import zipfile

import pytest

from bartizan.lab.hostile_formats import honest_formats
from bartizan.supply.base import Budget, Verdict
from bartizan.supply.scan import scan_bytes

GOOD = next(one.data for one in honest_formats() if one.name == "model.pmml")


def verdict(data, name="m.pmml"):
    """Scan it."""
    return scan_bytes(memoryview(data), name, Budget()).verdict


def before(text):
    """Return the model with a text before its root."""
    return GOOD.replace(b"<PMML", text + b"<PMML", 1)


def inside(text):
    """Return the model with a text inside its root."""
    return GOOD.replace(b"<Header/>", b"<Header/>" + text, 1)


LAUGHS = b'<!DOCTYPE PMML [<!ENTITY a "lol"><!ENTITY b "' + b"&a;" * 10 + b'"><!ENTITY c "' + b"&b;" * 10 + b'">]>'


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (GOOD, Verdict.CLEAN),
        (b"\xef\xbb\xbf" + GOOD, Verdict.CLEAN),
        (inside(b'<Apply function="+"/>'), Verdict.CLEAN),
        (inside(b'<Apply function="com.example.Run"/>'), Verdict.REVIEW),
        (inside(b"<TableLocator/>"), Verdict.REVIEW),
        (before(b'<?xml-stylesheet href="x"?>'), Verdict.REVIEW),
        (before(LAUGHS), Verdict.BLOCK),
        (before(b'<!DOCTYPE PMML [<!ENTITY a SYSTEM "file:///etc/hostname">]>'), Verdict.BLOCK),
        (before(b'<!DOCTYPE PMML [<!ENTITY % a "b"> %a;]>'), Verdict.BLOCK),
        (before(b'<!DOCTYPE PMML SYSTEM "http://a.example/x.dtd">'), Verdict.BLOCK),
        (GOOD[:-20], Verdict.UNREADABLE),
        (GOOD.replace(b"UTF-8", b"UTF-8-8"), Verdict.UNREADABLE),
        (inside(b"<a>" * 50_000), Verdict.UNREADABLE),
    ],
)
def test_models_and_what_their_xml_does(data, expected):
    """Each on its own, and inside an archive."""
    assert verdict(data) is expected
    assert verdict(data, "m.xml") is expected
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("m.pmml", data)
    assert verdict(buffer.getvalue(), "m.zip") is expected


def test_other_texts_are_not_taken_for_pmml():
    """A page that speaks of it."""
    assert verdict(b"# About PMML\n\nIt begins with <PMML version>.\n", "notes.md") is Verdict.CLEAN
