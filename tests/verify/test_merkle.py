"""RFC 6962 hashing, and proofs that must not pass."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger_format.errors import ProofError
from ledger_format.merkle import (
    leaf_hash,
    leaf_hashes,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

# The eight leaves and roots that implementations of RFC 6962 have tested themselves with since 2012.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]


@pytest.mark.parametrize("size", range(9))
def test_the_root_is_rfc_6962_s(size: int) -> None:
    assert root_of(HASHES[:size]).hex() == ROOTS[size]


def test_many_leaves_hash_like_each_of_them() -> None:
    assert leaf_hashes(LEAVES) == HASHES


def test_a_leaf_never_hashes_like_a_node() -> None:
    left, right = HASHES[:2]
    assert leaf_hash(left + right) != node_hash(left, right)


def test_a_proof_for_one_index_is_refused_for_every_other() -> None:
    root = root_of(HASHES)
    proof = [HASHES[1], node_hash(*HASHES[2:4]), root_of(HASHES[4:])]
    verify_inclusion(leaf=HASHES[0], index=0, size=8, proof=proof, root=root)
    for index in range(1, 8):
        with pytest.raises(ProofError):
            verify_inclusion(leaf=HASHES[0], index=index, size=8, proof=proof, root=root)


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_hash_of_another_length_is_refused(length: int) -> None:
    odd = bytes(length)
    with pytest.raises(ProofError, match="32 bytes"):
        verify_inclusion(leaf=odd, index=0, size=1, proof=[], root=odd)
    with pytest.raises(ProofError, match="32 bytes"):
        verify_inclusion(leaf=HASHES[0], index=0, size=2, proof=[odd], root=HASHES[0])
    with pytest.raises(ProofError, match="32 bytes"):
        verify_consistency(old_size=1, old_root=odd, new_size=2, new_root=HASHES[0], proof=[HASHES[1]])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 1), (0, 2**63), (True, 2)])
def test_a_place_outside_the_tree_is_refused(index: int, size: int) -> None:
    with pytest.raises(ProofError):
        verify_inclusion(leaf=HASHES[0], index=index, size=size, proof=[], root=HASHES[0])


def test_a_single_leaf_is_its_own_root() -> None:
    verify_inclusion(leaf=HASHES[0], index=0, size=1, proof=[], root=HASHES[0])


def test_consistency_from_the_empty_tree_is_refused_because_it_would_prove_nothing() -> None:
    with pytest.raises(ProofError):
        verify_consistency(
            old_size=0, old_root=root_of([]), new_size=2, new_root=root_of(HASHES[:2]), proof=[]
        )


def test_two_roots_at_one_size_are_refused() -> None:
    with pytest.raises(ProofError):
        verify_consistency(old_size=2, old_root=HASHES[0], new_size=2, new_root=HASHES[1], proof=[])


@given(
    st.lists(st.binary(min_size=32, max_size=32), max_size=70),
    st.integers(0, 2**63 - 1),
    st.integers(1, 2**63 - 1),
)
def test_a_made_up_proof_never_verifies_and_never_raises_anything_else(
    proof: list[bytes], index: int, size: int
) -> None:
    with pytest.raises(ProofError):
        verify_inclusion(leaf=HASHES[0], index=index, size=size, proof=proof, root=HASHES[1])
    with pytest.raises(ProofError):
        verify_consistency(
            old_size=min(index + 1, size), old_root=HASHES[0], new_size=size, new_root=HASHES[1], proof=proof
        )
