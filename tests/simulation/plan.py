"""Derives a simulation's parameters and fault probabilities from its seed."""

import random
from dataclasses import dataclass
from typing import Final

BASES: Final = (0, 3, 254, 510)
"""Entries published before a schedule begins: empty, few, and just below one and two full tiles."""

_RARE, _OFTEN = 0.004, 0.03


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Drawn from a seed. Likelihoods are per step, those of ports per call."""

    base: int
    facts: int
    writers: int
    sequencers: int
    publishers: int
    batch_max: int
    entries_max: int
    steps: int
    kills: float
    cuts: float
    port_failures: float
    lost_answers: float
    clock_steps: float
    stalls: float
    hesitations: float
    """How likely a publisher stands still with a checkpoint in hand that it is about to show."""

    has_liar: bool
    """Whether one of the three witnesses lies."""

    locks_hold: bool
    """Whether advisory locks keep a second leader idle. They only spare work: without them nothing else may break."""

    backup_at: int
    fails_over_at: int
    """Steps; the database is put back to what was backed up. 0: never."""

    fails_over_between: bool = False
    """Not before a sequencer is between two transactions."""

    @property
    def fails_over(self) -> bool:
        return self.fails_over_at > 0

    @property
    def keeps_order(self) -> bool:
        """Whether the log must be in the order of transactions: what was put back after a loss comes later."""
        return not self.fails_over


def draw(chance: random.Random) -> Plan:
    """One plan; some kinds of faults are left out altogether, so that others come through undisturbed."""
    fails_over = chance.random() < 0.4
    steps = chance.randint(400, 900)
    backup_at = chance.randint(60, steps // 2)
    return Plan(
        base=chance.choice(BASES[1:] if fails_over else BASES),
        facts=chance.randint(8, 20),
        writers=chance.randint(2, 4),
        sequencers=chance.randint(1, 2),
        publishers=chance.randint(1, 2),
        batch_max=chance.choice((1, 2, 3, 2_000)),
        entries_max=chance.choice((3, 6, 65_536)),
        steps=steps,
        kills=chance.choice((0.0, _RARE, _OFTEN)),
        cuts=chance.choice((0.0, _RARE, _OFTEN)),
        port_failures=chance.choice((0.0, 0.01, 0.05)),
        lost_answers=chance.choice((0.0, 0.01, 0.03)),
        clock_steps=chance.choice((0.0, _OFTEN)),
        stalls=chance.choice((0.002, 0.008)),
        hesitations=chance.choice((0.0, 0.0, 0.05)),
        # After a failover one may be left with what only it has seen; two of three that fail are one too many.
        has_liar=not fails_over and chance.random() < 0.4,
        locks_hold=chance.random() < 0.7,
        backup_at=backup_at if fails_over else 0,
        fails_over_at=backup_at + chance.randint(60, steps // 2) if fails_over else 0,
    )
