"""One simulated schedule: the next actor and fault are drawn from a seed; then a calm phase, in which everything must settle."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from structlog.typing import EventDict

from tests.simulation import actors, checks
from tests.simulation.baton import Actor, Fate
from tests.simulation.cluster import Cluster, Snapshot
from tests.simulation.outside import Broken, hold
from tests.simulation.plan import Plan
from tests.simulation.seams import AFTER_COMMIT, BEFORE_COMMIT, WAITS
from tests.simulation.world import World

_LOOK_SECONDS: Final = 0.004
_CALM_STEPS_MAX: Final = 6_000
_RETURNS: Final = 0.08
"""How likely, a step, somebody dead is started again."""

_IDLE_SHARE: Final = 0.1
_SHARES: Final = {"publisher": 6.0, "sequencer": 3.0}
"""A publication has some hundred seams, a writer's transaction three: without this hardly any would end."""

_OVERTAKEN: Final = (300, 800)
"""Steps in which another publisher can publish more than once."""

_RESTORES_MAX: Final = 3


@dataclass(kw_only=True)
class Cast:
    """An actor's part: what it does, and the actor that plays it now; None while it is dead."""

    name: str
    work: Callable[[Actor], None]
    weight: float
    is_log: bool
    stalled_until: int = 0
    actor: Actor | None = None


class Schedule:
    """Runs one plan in a cluster that holds the plan's base."""

    def __init__(
        self, *, cluster: Cluster, plan: Plan, world: World, chance: random.Random, logs: list[EventDict]
    ) -> None:
        self.trace: list[str] = []
        self._logs = logs
        self._cluster = cluster
        self._plan = plan
        self._world = world
        self._chance = chance
        self._casts = self._make_casts()
        self._waiting: Cast | None = None
        self._backup: Snapshot | None = None
        self._restores = 0
        self._log_stopped = False
        self._is_calm = False

    def run(self) -> None:
        """All of it.

        Raises:
            Broken: A promise did not hold, or the platform did not come to rest.
        """
        try:
            for cast in self._casts:
                self._start(cast)
            for _ in range(self._plan.steps):
                self._step()
            self._come_to_rest()
        finally:
            self._end()
        checks.check_books(self._cluster, self._world)

    # What the operator can do; called with the baton in hand.

    def stop_log(self) -> None:
        self._log_stopped = True
        for cast in self._casts:
            if cast.is_log:
                self._kill(cast)

    def start_log(self) -> None:
        self._log_stopped = False

    def restore_again(self) -> None:
        self._restores += 1
        hold(self._restores <= _RESTORES_MAX, "an older state can be brought to where the public log is")
        self._put_back()

    # One step.

    def _step(self) -> None:
        self._world.step += 1
        if not self._is_calm:
            self._let_something_happen()
        self._watch_over_a_loss()
        self._revive(all_of_them=self._is_calm)
        able = [cast for cast in self._casts if cast.actor is not None and cast is not self._waiting]
        able = [cast for cast in able if cast.stalled_until <= self._world.step] or able
        if able:
            (chosen,) = self._chance.choices(able, [_weight(cast) for cast in able])
            self._resume(chosen, self._fate_of(chosen))

    def _let_something_happen(self) -> None:
        chance, plan = self._chance, self._plan
        alive = [cast for cast in self._casts if cast.actor is not None]
        if alive and chance.random() < plan.kills:
            self._kill(chance.choice(alive))
        if alive and chance.random() < plan.cuts:
            self._cut(chance.choice(alive), choice=chance.randrange(3))
        if chance.random() < plan.clock_steps:
            self._world.clock_offset += timedelta(seconds=chance.choice((-3_600, -5, 5, 3_600)))
        if chance.random() < 0.03:
            chance.choice(self._casts).weight = chance.choice((0.3, 1.0, 5.0))
        self._let_somebody_stand_still(alive)
        if self._world.step == plan.backup_at:
            self._backup = self._cluster.take()
        if self._is_time_to_fail_over():
            self._put_back()

    def _let_somebody_stand_still(self, alive: list[Cast]) -> None:
        chance, plan = self._chance, self._plan
        if alive and chance.random() < plan.stalls:
            (unlucky,) = chance.choices(alive, [_harm(cast) for cast in alive])
            self._stall(unlucky)
        about_to_show = [cast for cast in alive if _is_about_to_show(cast)]
        for cast in about_to_show:
            if cast.stalled_until <= self._world.step and chance.random() < plan.hesitations:
                self._stall(cast, steps=_OVERTAKEN)

    def _is_time_to_fail_over(self) -> bool:
        plan, world = self._plan, self._world
        if not plan.fails_over_between:
            return world.step == plan.fails_over_at
        between = [cast for cast in self._casts if cast.actor is not None and cast.actor.at == AFTER_COMMIT]
        return (
            0 < plan.fails_over_at <= world.step
            and world.outside.life == 0
            and any(cast.name.startswith("sequencer") for cast in between)
        )

    def _stall(self, cast: Cast, *, steps: tuple[int, ...] = (40, 120, 500)) -> None:
        """It stands still for long, wherever it is; the network may forget its oldest connection meanwhile."""
        cast.stalled_until = self._world.step + self._chance.choice(steps)
        self._note(f"{cast.name} stands still until {cast.stalled_until}")
        if self._plan.cuts and self._chance.random() < 0.5:
            self._cut(cast, choice=0)

    def _cut(self, cast: Cast, *, choice: int) -> None:
        self._note(f"a connection of {cast.name} is cut")
        self._cluster.cut(cast.name, choice=choice)
        self._settle_waiting()

    def _put_back(self) -> None:
        """The database is what it was; whoever runs goes on, the writers too."""
        self._note("the database is put back to an older state")
        world = self._world
        world.awaits_comparison = True
        assert self._backup is not None
        self._cluster.put_back(self._backup)
        world.deliver_again()
        world.leaves_of_before, world.entries_of_before, world.questions_of_before = self._cluster.rows(
            checks.BEGINNING
        )[0]
        self._settle_waiting()

    def _watch_over_a_loss(self) -> None:
        """Nobody books and no place is given away before the publisher has found that nothing public is missing."""
        world = self._world
        if not world.awaits_comparison or self._log_stopped:
            return
        cleared, leaves, is_open, entries = self._cluster.rows(checks.CLEARED, world.questions_of_before)[0]
        hold(
            cleared or leaves == world.leaves_of_before,
            "a database that was put back gives no place away before it was compared with the public log",
        )
        hold(
            is_open or entries == world.entries_of_before,
            "a database that was put back books nothing before it was compared with the public log",
        )
        world.awaits_comparison = not (cleared and is_open)

    def _revive(self, *, all_of_them: bool) -> None:
        dead = [cast for cast in self._casts if cast.actor is None]
        dead = [cast for cast in dead if not (self._log_stopped and cast.is_log)]
        if dead and (all_of_them or self._chance.random() < _RETURNS):
            for cast in dead if all_of_them else [self._chance.choice(dead)]:
                self._start(cast)

    def _fate_of(self, cast: Cast) -> Fate:
        choices = cast.actor.choices if cast.actor is not None else ()
        if self._is_calm or not choices:
            return Fate.GO
        likely = self._plan.port_failures if Fate.FAIL in choices else self._plan.lost_answers
        return self._chance.choice(choices) if self._chance.random() < likely else Fate.GO

    # Calm.

    def _come_to_rest(self) -> None:
        self._note("calm")
        self._is_calm = True
        for cast in self._casts:
            cast.weight, cast.stalled_until = _SHARES.get(cast.name.partition("-")[0], 1.0), 0
        for number in range(_CALM_STEPS_MAX):
            self._step()
            if number % 20 == 0 and self._is_at_rest():
                return
        raise Broken(f"it does not come to rest: {checks.unrest(self._cluster, self._world)}")

    def _is_at_rest(self) -> bool:
        world = self._world
        if world.refusal or world.stuck_at or self._log_stopped or not world.all_is_booked():
            return False
        return not checks.unrest(self._cluster, world)

    # Actors.

    def _make_casts(self) -> list[Cast]:
        world, settings, plan = self._world, self._cluster.settings, self._plan
        works = {f"writer-{n}": actors.writer(world, settings) for n in range(plan.writers)}
        works |= {f"sequencer-{n}": actors.sequencing(world, settings) for n in range(plan.sequencers)}
        works |= {f"publisher-{n}": actors.publishing(world, settings) for n in range(plan.publishers)}
        works["donor"] = actors.donor(world, settings)
        if plan.fails_over:
            works["operator"] = actors.operator(world, settings, self)
        return [
            Cast(
                name=name,
                work=work,
                weight=_SHARES.get(name.partition("-")[0], 1.0) * self._chance.choice((0.3, 1.0, 1.0, 3.0)),
                is_log=name.startswith(("sequencer", "publisher")),
            )
            for name, work in works.items()
        ]

    def _start(self, cast: Cast) -> None:
        cast.actor = Actor(cast.name, cast.work)
        cast.actor.begin()

    def _resume(self, cast: Cast, fate: Fate) -> None:
        assert cast.actor is not None
        self._note(f"{cast.name}: {cast.actor.at}{'' if fate is Fate.GO else f' -- {fate}'}")
        cast.actor.send(fate)
        self._settle(cast)
        self._settle_waiting()
        for line in self._logs:
            if line["event"] == "turn_failed":
                self._note(f"{cast.name} says: {line['error'].splitlines()[0]}")
        self._logs.clear()

    def _settle(self, cast: Cast) -> None:
        """Until it is at its next seam, or waits in the database for somebody who is at a seam."""
        actor = cast.actor
        assert actor is not None
        while not actor.has_arrived(within_seconds=_LOOK_SECONDS):
            if self._cluster.waits_for_a_lock(actor.name):
                if self._waiting is None:
                    self._note(f"{cast.name} waits for a lock")
                    self._waiting = cast
                    return
                # Were two to wait, chance would decide which goes on first. One at a time; the other was too slow.
                self._note(f"{cast.name} gives up waiting for a lock")
                self._cluster.cancel(actor.name)
        # Whoever asks next for the lead that it gave away would find it held or not, as the server has time.
        self._cluster.see_off(actor.closed)
        actor.closed.clear()
        if actor.has_ended:
            cast.actor = None
            if actor.failure is not None:
                raise actor.failure

    def _settle_waiting(self) -> None:
        """Whoever waited for a lock may have it now."""
        while self._waiting is not None:
            cast, actor = self._waiting, self._waiting.actor
            if actor is not None and self._cluster.waits_for_a_lock(actor.name):
                return
            self._waiting = None
            if actor is not None:
                self._settle(cast)

    def _kill(self, cast: Cast) -> None:
        """Its connections end with it. Does nothing to the dead."""
        if cast.actor is None:
            return
        self._note(f"{cast.name} is killed at: {cast.actor.at}")
        self._cluster.cut(cast.actor.name)
        self._settle_waiting()
        if cast.actor is not None:
            cast.actor.send(Fate.DIE)
            self._settle(cast)

    def _end(self) -> None:
        for cast in self._casts:
            self._kill(cast)

    def _note(self, event: str) -> None:
        self.trace.append(f"{self._world.step:>5}  {event}")


def _weight(cast: Cast) -> float:
    """Who has nothing to do is asked less often."""
    is_idle = cast.actor is not None and cast.actor.at == actors.IDLE
    return cast.weight * (_IDLE_SHARE if is_idle else 1.0)


def _is_about_to_show(cast: Cast) -> bool:
    return cast.actor is not None and cast.actor.at.startswith("public log.replace_checkpoint(")


def _harm(cast: Cast) -> float:
    """Where standing still hurts most: with a transaction open, or in the middle of something."""
    at = cast.actor.at if cast.actor is not None else actors.IDLE
    return {actors.IDLE: 0.3, WAITS: 1.0, BEFORE_COMMIT: 8.0}.get(at, 3.0)
