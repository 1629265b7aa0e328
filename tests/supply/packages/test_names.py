"""Names that imitate are found; names of their own are not."""

import pytest

from bartizan.supply.packages.names import NPM, PYPI, lookalike, normal, popular


@pytest.mark.parametrize(
    ("ecosystem", "name", "meant"),
    [
        (PYPI, "reqeusts", "requests"),
        (PYPI, "requets", "requests"),
        (PYPI, "tenserflow", "tensorflow"),
        (PYPI, "huggingface-hubs", "huggingface-hub"),
        (PYPI, "langchian", "langchain"),
        (PYPI, "jeIlyfish", "jellyfish"),
        (PYPI, "pythonrequests", "requests"),
        (NPM, "crossenv", "cross-env"),
        (NPM, "lodahs", "lodash"),
        (NPM, "express.js", "express"),
    ],
)
def test_an_imitation_names_what_it_imitates(ecosystem, name, meant):
    """jeIlyfish, crossenv: published attacks."""
    assert lookalike(ecosystem, name).name == meant


def test_names_that_are_known_or_their_own_resemble_nothing():
    """Every listed name, a name of one's own, a scoped one, another ecosystem."""
    assert not [name for name in list(popular(PYPI))[:500] if lookalike(PYPI, name)]
    assert lookalike(PYPI, "our-internal-billing-service") is None
    assert lookalike(NPM, "@scope/lodahs") is None
    assert lookalike("crates.io", "serdee") is None


def test_another_edition_is_for_review_only():
    """httpcore2 is a real package."""
    assert not lookalike(PYPI, "httpcore2").sure
    assert lookalike(PYPI, "httpcorre").sure


def test_letters_of_another_alphabet_are_an_imitation():
    """A Cyrillic о in the middle."""
    assert lookalike(PYPI, "n\u043empy").sure


def test_names_compare_as_the_index_compares_them():
    """PEP 503."""
    assert normal(PYPI, "Zope.Interface__x") == "zope-interface-x"
