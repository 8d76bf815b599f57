"""A tree of keys: whatever is cut out is not made by anything that is left, and everything else is made as before."""

from dataclasses import replace
from hashlib import sha256
from itertools import islice

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from amply.infra.vault.puncturable_prf import LEAF_BITS, KeyTree, TreeUnreadable

LAST = 2**LEAF_BITS - 1
LEAVES = st.one_of(
    st.integers(0, LAST),
    # Close to each other, so that they share most of the way.
    st.integers(0, 7),
    st.integers(LAST - 7, LAST),
    st.integers(2**63 - 4, 2**63 + 4),
)
CUT = st.lists(LEAVES, max_size=12)
WHOLE = replace(KeyTree.grown(), nodes=b"r" * 32)


def way_to(leaf: int) -> list[bytes]:
    """The secrets from the root to a leaf, as the page says it: bit by bit, the highest one first."""
    secrets = [WHOLE.nodes]
    for bit in f"{leaf:064b}":
        secrets.append(sha256(f"amply/tree/{bit}\0".encode() + secrets[-1]).digest())
    return secrets


def without(leaves: list[int]) -> KeyTree:
    tree = WHOLE
    for leaf in leaves:
        tree = tree.cut(leaf)
    return tree


def secrets_in(tree: KeyTree) -> set[bytes]:
    return {tree.nodes[at : at + 32] for at in range(0, len(tree.nodes), 32)}


@given(cut=CUT, others=st.lists(LEAVES, max_size=12))
@example(cut=[0, LAST], others=[1, LAST - 1])
def test_exactly_what_was_cut_is_not_made_any_more(cut: list[int], others: list[int]) -> None:
    tree = without(cut)
    beside = {leaf ^ bit for leaf in cut for bit in (1, 2, 1 << 63)}
    for leaf in {*others, *beside, *cut}:
        made = way_to(leaf)[-1]
        assert tree.derive(leaf) == (None if leaf in cut else made)
        assert tree.has(leaf) == (leaf not in cut)


@given(cut=CUT)
def test_no_secret_on_the_way_to_what_was_cut_is_left(cut: list[int]) -> None:
    tree = without(cut)
    on_the_way = {secret for leaf in cut for secret in way_to(leaf)}
    assert secrets_in(tree) & on_the_way == set()
    assert not any(secret in tree.encode() for secret in on_the_way)


@given(cut=CUT, again=st.randoms(use_true_random=False))
def test_in_whichever_order_and_however_often_leaves_are_cut_the_same_is_left(
    cut: list[int], again: object
) -> None:
    other = [*cut, *cut]
    again.shuffle(other)  # type: ignore[attr-defined] # a random.Random, whose class hypothesis keeps to itself
    assert without(other) == without(cut)


@given(cut=CUT)
def test_a_tree_comes_back_as_it_was_written(cut: list[int]) -> None:
    tree = without(cut)
    assert KeyTree.decode(tree.encode()) == tree


@given(cut=CUT, broken=st.data())
def test_bytes_that_are_no_tree_are_refused(cut: list[int], broken: st.DataObject) -> None:
    whole = without([*cut, 5]).encode()
    shorter = whole[: broken.draw(st.integers(0, len(whole) - 1))]
    is_fewer_nodes = len(shorter) >= 64 and (len(shorter) - 64) % 41 == 0
    if not is_fewer_nodes:  # the tag of what it is encrypted in says that some are missing
        with pytest.raises(TreeUnreadable):
            KeyTree.decode(shorter)
    nodes = [whole[64 + at : 64 + at + 41] for at in range(0, len(whole) - 64, 41)]
    with pytest.raises(TreeUnreadable):
        KeyTree.decode(whole[:64] + b"".join(reversed(nodes)))


def test_an_erasure_adds_some_two_kilobytes() -> None:
    tree = KeyTree.grown()
    before = len(tree.encode())
    assert len(tree.cut(2**40 + 1).encode()) - before == 63 * 41
    many = [number * 0x9E3779B97F4A7C15 % 2**64 for number in range(1, 257)]
    assert len(without(many).encode()) / len(many) < 58 * 41, "what the ways share is there once"


def test_a_donor_has_another_leaf_after_each_erasure_and_never_an_earlier_one() -> None:
    tree = KeyTree.grown()
    had = set()
    for _ in range(5):
        leaf = tree.leaf_of("ada")
        assert leaf not in had
        had.add(leaf)
        tree = tree.cut(leaf)
    assert tree.leaf_of("ada", closed={tree.leaf_of("ada")}) not in {*had, tree.leaf_of("ada")}


def test_numbers_say_nothing_to_whoever_has_another_tree() -> None:
    one, another = KeyTree.grown(), KeyTree.grown()
    mine = set(islice(one.numbers("ada"), 100))
    assert len(mine) == 100
    assert mine.isdisjoint(islice(another.numbers("ada"), 100))
    assert mine.isdisjoint(islice(one.numbers("bob"), 100))


def test_a_tree_shows_none_of_its_secrets() -> None:
    assert "r" * 8 not in repr(WHOLE)
    assert "naming" not in repr(WHOLE)
