"""A manifest names every file, and each way in which a model can differ from it."""

import pytest

from bartizan.core.errors import BadArtifact
from bartizan.supply.manifest import differences, measure


@pytest.fixture
def model(tmp_path):
    """A model of three files, one of them in a folder."""
    folder = tmp_path / "model"
    (folder / "part").mkdir(parents=True)
    (folder / "a.bin").write_bytes(b"weights")
    (folder / "b.json").write_bytes(b"{}")
    (folder / "part/c.bin").write_bytes(b"more")
    return folder


def changes(model, before):
    """Return rule and place of each difference."""
    return {(one.rule, one.where) for one in differences(before, measure(model))}


def test_every_file_is_listed_in_order(model):
    """Files of folders too, by their path in the model."""
    assert list(measure(model).digests) == ["a.bin", "b.json", "part/c.bin"]


def test_an_untouched_model_has_no_difference(model):
    """The same files give nothing."""
    assert changes(model, measure(model)) == set()


def test_a_flipped_bit_is_named(model):
    """One bit is enough."""
    before = measure(model)
    (model / "a.bin").write_bytes(b"weightr")
    assert changes(model, before) == {("artefact-changed", "a.bin")}


def test_an_added_a_removed_and_a_renamed_file_are_named(model):
    """Each by its own rule; a renamed file is not called added and removed."""
    before = measure(model)
    (model / "new.py").write_bytes(b"x = 1")
    (model / "b.json").unlink()
    (model / "part/c.bin").rename(model / "part/d.bin")
    assert changes(model, before) == {
        ("artefact-added", "new.py"),
        ("artefact-removed", "b.json"),
        ("artefact-renamed", "part/d.bin"),
    }


def test_two_files_that_swap_contents_are_both_named(model):
    """Names count, not only the set of digests."""
    before = measure(model)
    (model / "a.bin").write_bytes(b"{}")
    (model / "b.json").write_bytes(b"weights")
    assert changes(model, before) == {("artefact-changed", "a.bin"), ("artefact-changed", "b.json")}


@pytest.mark.parametrize("target", ["a.bin", "/etc/passwd", "nowhere"])
def test_a_link_is_refused_and_named(model, target):
    """A link can point elsewhere tomorrow."""
    (model / "link.bin").symlink_to(target)
    with pytest.raises(BadArtifact, match=r"link\.bin: a link"):
        measure(model)


def test_a_link_to_a_folder_is_refused(model):
    """A linked folder is not walked."""
    (model / "linked").symlink_to(model / "part", target_is_directory=True)
    with pytest.raises(BadArtifact, match="linked: a link"):
        measure(model)


def test_only_the_signature_that_was_named_is_left_out(model):
    """Another file of that ending counts."""
    (model / "model.sig").write_bytes(b"signature")
    (model / "other.sig").write_bytes(b"signature")
    names = measure(model, signature=model / "model.sig").digests
    assert "model.sig" not in names
    assert "other.sig" in names


def test_git_files_count_below_the_top_only(model):
    """What signers leave out by default is left out at the top and nowhere else."""
    for folder in (model / ".git", model / "part/.git"):
        folder.mkdir()
        (folder / "config").write_bytes(b"")
    assert [name for name in measure(model).digests if ".git" in name] == ["part/.git/config"]


def test_nothing_is_no_model(tmp_path):
    """An empty folder or a missing path is an error, never an empty manifest."""
    with pytest.raises(BadArtifact, match="no file in it"):
        measure(tmp_path)
    with pytest.raises(BadArtifact, match="expected a file or a folder"):
        measure(tmp_path / "missing")


def test_the_root_changes_with_any_file(model):
    """One number names the whole model."""
    before = measure(model).root()
    (model / "part/c.bin").write_bytes(b"less")
    assert measure(model).root() != before
