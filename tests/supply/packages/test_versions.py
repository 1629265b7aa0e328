"""Versions in the order of their indexes."""

import pytest

from bartizan.supply.packages.names import NPM, PYPI
from bartizan.supply.packages.versions import Semver, ordered


def test_semantic_versions_in_the_order_of_the_specification():
    """The example of section 11, then some."""
    order = "1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 1.10.0"
    versions = [Semver(text) for text in order.split()]
    assert sorted(versions) == versions
    assert not versions[1] < versions[0]
    assert Semver("v1.0.0+build") == Semver("1.0.0")
    assert hash(Semver("1.0.0+a")) == hash(Semver("1.0.0"))


@pytest.mark.parametrize(("ecosystem", "text"), [(PYPI, "not a version"), (NPM, "1.0"), ("crates.io", "1.0.0")])
def test_what_cannot_be_compared_is_an_error(ecosystem, text):
    """Not an old version."""
    with pytest.raises(ValueError, match=r".+"):
        ordered(ecosystem, text)


def test_python_versions_compare_as_pep_440():
    """A pre-release comes before its release."""
    assert ordered(PYPI, "1.0rc1") < ordered(PYPI, "1.0") < ordered(PYPI, "1.0.post1")
