"""Merkle: the published roots, and proofs checked against naive code, good and bad."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bartizan.core.errors import BadEvidence
from bartizan.ledger import merkle

# Inputs and roots of the certificate-transparency reference tests (RFC 6962 implementations share them).
INPUTS = [
    bytes.fromhex(one)
    for one in ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def naive_root(leaves):
    """MTH, as RFC 6962 writes it."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return merkle.node_hash(naive_root(leaves[:split]), naive_root(leaves[split:]))


def tree(size):
    """Return leaf hashes and a subtree function over them."""
    leaves = [merkle.leaf_hash(str(number).encode()) for number in range(size)]
    return leaves, lambda first, count: naive_root(leaves[first : first + count])


def test_the_published_roots():
    """Eight trees of one to eight leaves."""
    edge = merkle.Edge()
    assert edge.root() == merkle.EMPTY_ROOT
    for data, root in zip(INPUTS, ROOTS, strict=True):
        edge.add(merkle.leaf_hash(data))
        assert edge.root().hex() == root


@given(st.integers(1, 70))
def test_the_edge_and_the_range_agree_with_the_naive_root(size):
    """Growing leaf by leaf or all at once."""
    leaves, subtree = tree(size)
    edge = merkle.Edge()
    for leaf in leaves:
        for level, index, value in edge.add(leaf):
            assert value == naive_root(leaves[index << level : (index + 1) << level])
    assert edge.root() == merkle.range_hash(0, size, subtree) == naive_root(leaves)
    again = merkle.Edge(size, [subtree(*part) for part in merkle.complete_subtrees(0, size)])
    assert again.root() == edge.root()


@given(st.integers(1, 70).flatmap(lambda size: st.tuples(st.integers(0, size - 1), st.just(size))))
def test_an_inclusion_proof_holds_and_no_other_leaf_does(case):
    """The right leaf verifies; another leaf, place, size or a cut proof does not."""
    index, size = case
    leaves, subtree = tree(size)
    proof, root = merkle.inclusion_proof(index, size, subtree), naive_root(leaves)
    merkle.verify_inclusion(leaves[index], index, size, proof, root)
    wrong = [
        (merkle.leaf_hash(b"x"), index, size, proof, root),
        (leaves[index], index, size, [*proof, root], root),
        (leaves[index], index, size, proof, b"\0" * 32),
        (leaves[index], size, size, proof, root),
    ]
    if proof:
        wrong += [(leaves[index], index, size, proof[:-1], root), (leaves[index], index ^ 1, size, proof, root)]
    for arguments in wrong:
        with pytest.raises(BadEvidence):
            merkle.verify_inclusion(*arguments)


@given(st.integers(1, 60).flatmap(lambda new: st.tuples(st.integers(1, new), st.just(new))))
def test_a_consistency_proof_holds_and_a_rewritten_past_does_not(case):
    """Old and new root verify; a forged old root does not."""
    old, new = case
    leaves, subtree = tree(new)
    proof = merkle.consistency_proof(old, new, subtree)
    old_root, new_root = naive_root(leaves[:old]), naive_root(leaves)
    merkle.verify_consistency(old, new, proof, old_root, new_root)
    for arguments in [
        (old, new, proof, b"\0" * 32, new_root),
        (old, new, proof, old_root, b"\0" * 32),
        (old, new, [*proof, new_root], old_root, new_root),
        (new + 1, new, proof, old_root, new_root),
    ]:
        with pytest.raises(BadEvidence):
            merkle.verify_consistency(*arguments)
    if old != new:
        with pytest.raises(BadEvidence):
            merkle.verify_consistency(old, new, proof[:-1], old_root, new_root)


def test_impossible_places_are_refused():
    """A leaf outside the tree, an old tree that is larger, an edge of the wrong length."""
    _, subtree = tree(4)
    for wrong in (
        lambda: merkle.inclusion_proof(4, 4, subtree),
        lambda: merkle.consistency_proof(5, 4, subtree),
        lambda: merkle.Edge(3, []),
    ):
        with pytest.raises(BadEvidence):
            wrong()
    assert merkle.range_hash(0, 0, subtree) == merkle.EMPTY_ROOT
