"""Answers that come compressed."""

import gzip
import zlib

import pytest

from bartizan.core.errors import UpstreamFailed
from bartizan.gateway.encoding import Expander, encoding_of


@pytest.mark.parametrize(
    ("name", "data"),
    [(b"gzip", gzip.compress(b"hello" * 9, mtime=0)), (b"deflate", zlib.compress(b"hello" * 9))],
    ids=["gzip", "deflate"],
)
def test_gzip_and_deflate_are_read_in_pieces(name, data):
    """Wherever they are cut."""
    expander = Expander(name, 1000)
    assert b"".join(expander.feed(data[at : at + 3]) for at in range(0, len(data), 3)) == b"hello" * 9


def test_bombs_unknown_codings_and_rubbish_are_refused():
    """What cannot be read within bounds cannot be screened."""
    with pytest.raises(UpstreamFailed, match="expands to more"):
        Expander(b"gzip", 1000).feed(gzip.compress(b"0" * 100_000))
    with pytest.raises(UpstreamFailed, match="compressed as"):
        Expander(b"br", 1000)
    with pytest.raises(UpstreamFailed, match="cannot be expanded"):
        Expander(b"gzip", 1000).feed(b"not gzip at all")


def test_plain_answers_pass_through():
    """Nothing to do."""
    assert Expander(encoding_of([(b"content-type", b"x")]), 10).feed(b"abc") == b"abc"
    assert encoding_of([(b"content-encoding", b"GZIP")]) == b"gzip"
