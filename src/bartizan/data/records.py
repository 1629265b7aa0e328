"""Where one row ends and the next begins in bytes, and a digest for each.

Rows are bytes, not parsed values: a changed space, quote or line ending is a changed row. CSV follows RFC 4180: a line
break inside quotes belongs to the row. Pure: bytes in, offsets and digests out.
"""

import hashlib

import numpy as np
import numpy.typing as npt

from bartizan.core.errors import BadArtifact

DIGEST_BYTES = 16
"""Length of a row's digest: SHA-256 cut to 128 bits. It names rows; integrity rests on the full hashes of shards."""
MOST_ROW_BYTES = 64 << 20
"""A row longer than this is refused: a quote that is never closed would make one row of the whole file."""
_NEWLINE, _QUOTE = 10, 34


def row_ends(data: bytes, *, quoted: bool) -> npt.NDArray[np.int64]:
    """Return the offset behind each complete row of `data`, which must start at a row. `quoted` reads RFC 4180."""
    codes = np.frombuffer(data, np.uint8)
    breaks = codes == _NEWLINE
    if quoted and b'"' in data:
        inside = np.add.accumulate((codes == _QUOTE).astype(np.uint8), dtype=np.uint8) & 1
        breaks &= inside == 0
    return np.flatnonzero(breaks) + 1


def last_end(data: bytes, *, quoted: bool) -> int:
    """Return the offset behind the last complete row of `data`, 0 when there is none."""
    if not quoted or b'"' not in data:
        return data.rfind(b"\n") + 1
    ends = row_ends(data, quoted=True)
    return int(ends[-1]) if ends.size else 0


def row_digests(data: bytes, *, quoted: bool, first: int = 0) -> bytes:
    """Return the digests of all rows from offset `first` on, end to end; bytes behind the last break are a row too."""
    ends = row_ends(data[first:] if first else data, quoted=quoted)
    ends += first
    view, start, sha = memoryview(data), first, hashlib.sha256
    parts = []
    for end in ends.tolist():
        parts.append(sha(view[start:end]).digest()[:DIGEST_BYTES])
        start = end
    if start < len(data):
        parts.append(sha(view[start:]).digest()[:DIGEST_BYTES])
    return b"".join(parts)


def count_rows(data: bytes, *, quoted: bool) -> int:
    """Return how many rows `data` holds, an unfinished last one included."""
    ends = row_ends(data, quoted=quoted)
    done = int(ends[-1]) if ends.size else 0
    return int(ends.size) + (done < len(data))


def check_row_length(size: int, where: str) -> None:
    """Raise BadArtifact for a row of `size` bytes that is longer than any row should be."""
    if size > MOST_ROW_BYTES:
        raise BadArtifact(
            f"{where}: a row of more than {MOST_ROW_BYTES} bytes",
            hint="Is a quotation mark never closed, or is this not a text format?",
        )
