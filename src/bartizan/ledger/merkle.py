"""The Merkle tree of RFC 6962 (and 9162): hashes, the growing right edge, inclusion and consistency proofs.

Pure: hashes in, hashes out. Storage of nodes is the log's business; here only a function that returns a subtree's hash.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence

from bartizan.core.errors import BadEvidence

EMPTY_ROOT = hashlib.sha256(b"").digest()

Subtree = Callable[[int, int], bytes]
"""(first leaf, number of leaves, a power of two) -> hash of that complete subtree."""


def leaf_hash(record: bytes) -> bytes:
    """Return SHA-256(0x00 || record), RFC 6962 section 2.1."""
    return hashlib.sha256(b"\x00" + record).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 || left || right), RFC 6962 section 2.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Edge:
    """The right edge of a growing tree: the roots of its complete subtrees, largest first. O(log n) memory."""

    def __init__(self, size: int = 0, roots: Iterable[bytes] = ()) -> None:
        """Start from `size` leaves whose complete subtrees have `roots` (one for each set bit of the size)."""
        self.size = size
        self.roots = list(roots)
        if len(self.roots) != size.bit_count():
            raise BadEvidence(f"a tree of {size} leaves has {size.bit_count()} edge hashes, got {len(self.roots)}")

    def add(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Append the leaf hash `leaf`; return (level, index, hash) of every subtree it completed, leaf first."""
        done = [(0, self.size, leaf)]
        index, merged = self.size, leaf
        while index & 1:
            merged = node_hash(self.roots.pop(), merged)
            index >>= 1
            done.append((len(done), index, merged))
        self.roots.append(merged)
        self.size += 1
        return done

    def root(self) -> bytes:
        """Return the root of the tree as it stands."""
        if not self.roots:
            return EMPTY_ROOT
        root = self.roots[-1]
        for left in reversed(self.roots[:-1]):
            root = node_hash(left, root)
        return root


def complete_subtrees(first: int, size: int) -> list[tuple[int, int]]:
    """Return the (first leaf, number of leaves) of the complete subtrees that make up `size` leaves from `first`."""
    parts = []
    while size:
        part = 1 << (size.bit_length() - 1)
        parts.append((first, part))
        first, size = first + part, size - part
    return parts


def range_hash(first: int, size: int, subtree: Subtree) -> bytes:
    """Return the Merkle tree hash of `size` leaves from `first` (RFC 6962: MTH)."""
    roots = [subtree(start, count) for start, count in complete_subtrees(first, size)]
    if not roots:
        return EMPTY_ROOT
    root = roots[-1]
    for left in reversed(roots[:-1]):
        root = node_hash(left, root)
    return root


def inclusion_proof(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """Return the audit path of leaf `index` in a tree of `size` leaves (RFC 6962 section 2.1.1)."""
    if not 0 <= index < size:
        raise BadEvidence(f"leaf {index} is not in a tree of {size} leaves")
    return _path(index, 0, size, subtree)


def _path(index: int, first: int, size: int, subtree: Subtree) -> list[bytes]:
    if size == 1:
        return []
    split = 1 << ((size - 1).bit_length() - 1)
    if index < split:
        return [*_path(index, first, split, subtree), range_hash(first + split, size - split, subtree)]
    return [*_path(index - split, first + split, size - split, subtree), range_hash(first, split, subtree)]


def consistency_proof(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """Return the proof that a tree of `new` leaves extends the one of `old` leaves (RFC 6962 section 2.1.2)."""
    if not 0 < old <= new:
        raise BadEvidence(f"no consistency proof from {old} to {new} leaves: expected 0 < old <= new")
    return _extension(old, 0, new, True, subtree)


def _extension(old: int, first: int, size: int, whole: bool, subtree: Subtree) -> list[bytes]:
    if old == size:
        return [] if whole else [range_hash(first, size, subtree)]
    split = 1 << ((size - 1).bit_length() - 1)
    if old <= split:
        return [*_extension(old, first, split, whole, subtree), range_hash(first + split, size - split, subtree)]
    rest = _extension(old - split, first + split, size - split, False, subtree)
    return [*rest, range_hash(first, split, subtree)]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Raise BadEvidence unless `proof` shows the leaf hash at `index` under `root` (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size:
        raise BadEvidence(f"leaf {index} cannot be in a tree of {size} leaves")
    at, last, computed = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise BadEvidence("inclusion proof is too long")
        if at & 1 or at == last:
            computed = node_hash(sibling, computed)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        at, last = at >> 1, last >> 1
    if last != 0 or computed != root:
        raise BadEvidence(f"inclusion proof of leaf {index} does not lead to the root of {size} leaves")


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Raise BadEvidence unless `proof` shows that `new_root` extends `old_root` (RFC 9162 section 2.1.4.2)."""
    if not 0 < old <= new:
        raise BadEvidence(f"no consistency between {old} and {new} leaves: expected 0 < old <= new")
    if old == new:
        if proof or old_root != new_root:
            raise BadEvidence(f"two different roots for the same {old} leaves")
        return
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    if not path:
        raise BadEvidence("consistency proof is empty")
    old_computed = new_computed = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise BadEvidence("consistency proof is too long")
        if at & 1 or at == last:
            old_computed, new_computed = node_hash(sibling, old_computed), node_hash(sibling, new_computed)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new_computed = node_hash(new_computed, sibling)
        at, last = at >> 1, last >> 1
    if last != 0 or old_computed != old_root or new_computed != new_root:
        raise BadEvidence(f"the log of {new} records does not extend the one of {old}: history was rewritten")
