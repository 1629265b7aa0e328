"""Files and folders: the inert corpus, disguises, links, empty things, and limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bartizan.lab.hostile_artefacts import benign, hostile
from bartizan.supply.base import Budget, Verdict
from bartizan.supply.scan import scan_bytes, scan_path


@pytest.mark.parametrize("sample", list(hostile()), ids=lambda one: one.name)
def test_every_hostile_sample_is_stopped(sample):
    """BLOCK with a reason; a stream that breaks off is UNREADABLE."""
    result = scan_bytes(memoryview(sample.data), sample.name, Budget())
    assert result.verdict in (Verdict.BLOCK, Verdict.UNREADABLE)
    assert result.findings


@pytest.mark.parametrize("sample", list(benign()), ids=lambda one: one.name)
def test_every_honest_sample_is_clean(sample):
    """Without review."""
    assert scan_bytes(memoryview(sample.data), sample.name, Budget()).verdict is Verdict.CLEAN


def test_the_name_does_not_matter():
    """A pickle called .txt or .safetensors is still a pickle."""
    evil = b"cposix\nsystem\n(S'true'\ntR."
    for name in ("README.txt", "model.safetensors", "model", "MODEL.PKL"):
        assert scan_bytes(memoryview(evil), name, Budget()).verdict is Verdict.BLOCK


def test_folders_links_and_empty_files(tmp_path):
    """Each file has its result."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "notes.txt").write_text("hello")
    (tmp_path / "a" / "empty.pkl").write_bytes(b"")
    (tmp_path / "link").symlink_to("/etc/passwd")
    found = {result.path.rsplit("/", 1)[1]: result.verdict for result in scan_path(tmp_path)}
    assert found == {"notes.txt": Verdict.CLEAN, "empty.pkl": Verdict.REVIEW, "link": Verdict.BLOCK}


def test_a_bomb_ends_by_its_budget():
    """Growth beyond the limits is not unpacked to its end."""
    import zlib

    bomb = zlib.compress(b"\0" * (64 << 20), 9)
    assert scan_bytes(memoryview(bomb), "x.joblib", Budget(output_bytes=1 << 20)).verdict is Verdict.UNREADABLE


@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"PK\x03\x04", b"GGUF", b"\x93NUMPY\x01\x00", b"\x1f\x8b", b"\x80\x04"]),
)
def test_random_bytes_never_crash_it(data, head):
    """Any verdict, no exception, whatever the format claims to be."""
    scan_bytes(memoryview(head + data), "x", Budget(seconds=10))


def test_compressed_files_of_old_joblib_and_old_lzma():
    """A mark and a length before zlib data; the format before xz."""
    import lzma
    import zlib

    evil = b"cposix\nsystem\n(S'true'\ntR."
    for data in (b"ZF0x1b" + b" " * 15 + zlib.compress(evil), lzma.compress(evil, lzma.FORMAT_ALONE)):
        assert scan_bytes(memoryview(data), "m.pkl", Budget()).verdict is Verdict.BLOCK
    fine = b"ZF0x4L" + b" " * 12 + zlib.compress(b"\x80\x02N.")
    assert scan_bytes(memoryview(fine), "m.pkl", Budget()).verdict is Verdict.CLEAN


def test_raw_numbers_called_bin_are_unknown_not_broken_pickles():
    """No reader of pickles would do anything with them; they are not clean either."""
    result = scan_bytes(memoryview(b"\x15\x00\x00\x00" * 40), "weights.bin", Budget())
    assert (result.verdict, result.format) == (Verdict.REVIEW, "unknown")
