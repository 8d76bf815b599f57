"""Deterministic division of an amount by weights, without remainder. Pure."""

from collections.abc import Sequence

from amply.kernel.errors import invariant


def divide(total: int, shares: Sequence[int]) -> list[int]:
    """Divide minor units in proportion to shares by largest remainder; equal remainders go to the first.

    The parts add up to `total`, and each is within one of its exact proportion.
    """
    invariant(total >= 0, "what is divided is not below nothing")
    invariant(len(shares) > 0 and all(share > 0 for share in shares), "everybody has a share")
    whole = sum(shares)
    exact = [divmod(total * share, whole) for share in shares]
    parts = [quotient for quotient, _ in exact]
    left = total - sum(parts)
    largest_first = sorted(range(len(shares)), key=lambda at: (-exact[at][1], at))
    for at in largest_first[:left]:
        parts[at] += 1
    return parts
