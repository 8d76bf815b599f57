"""`python -m amply.entrypoints.publisher`: signs and publishes checkpoints of sequenced entries, at most every 10 s.

What it shows, enough witnesses have cosigned. While too few do, nothing new is shown and no receipt leaves; entries go
on being booked and sequenced.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from amply.adapters.kms import KmsSigner
from amply.adapters.s3 import S3Archive, S3PublicLog
from amply.adapters.witness import HttpWitness
from amply.entrypoints.error_reporting import report_errors
from amply.entrypoints.former_keys import former_keys
from amply.entrypoints.leader import Turn, lead
from amply.entrypoints.shutdown_signals import stop_on_signals
from amply.infra import logging
from amply.infra.database import Database, connect
from amply.infra.settings import DatabaseSettings, LogSettings, ServiceSettings
from amply.kernel.clock import Clock, system_clock
from amply.modules import ledger
from ledger_format.policies import Policy, parse_policy

BETWEEN_CHECKPOINTS_SECONDS: Final = 10.0
LOOK_SECONDS: Final = 0.5
WITNESSES_AGAIN_SECONDS: Final = 5.0
"""Retry interval while the witness quorum is missing."""

WITNESSED: Final = "witnesses_measured"
"""Event name of the log line about the witnesses of a publication, complete or pending."""

PUBLISHED: Final = "checkpoint_measured"
"""Event name of the log line about a publication; its duration is on the dashboard."""

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class PublisherDependencies:
    """The publisher's external dependencies: signer, witnesses, public log, archive."""

    signer: ledger.Signer
    public_log: ledger.PublicLog
    archive: ledger.Archive
    witnesses: ledger.Witnesses
    before: ledger.FormerKeys = field(default_factory=ledger.FormerKeys)


@dataclass(frozen=True, kw_only=True)
class Publishing:
    """The publisher of one log, and what it remembers between turns."""

    database: Database
    origin: str
    outside: PublisherDependencies
    clock: Clock

    def clear(self) -> None:
        """Compare this database with the public log and the witnesses, and clear the sequencer to work.

        Raises:
            ForkRefused: This database does not extend it.
            WitnessesSilent: Too few witnesses answer to know it.
        """
        try:
            self._compare()
        except ledger.WitnessesSilent as silent:
            _log.error("clearance_waits_for_witnesses", size=silent.tree_size, witnesses=silent.reasons)
            _log.info(WITNESSED, size=silent.tree_size, witnesses_missing=len(silent.reasons))
            raise

    def answer_who_waits(self) -> None:
        """Repeat the comparison if a new sequencer has taken the lead."""
        if ledger.clearance_is_due(self.database):
            self.clear()

    def turn(self) -> float:
        """Publish what is new; seconds until the next turn."""
        began = time.monotonic()
        try:
            published = self._publish()
        except ledger.QuorumMissing as missing:
            _log.error("checkpoint_waits_for_witnesses", size=missing.size, witnesses=missing.reasons)
            _log.info(WITNESSED, size=missing.size, witnesses_missing=len(missing.reasons))
            return WITNESSES_AGAIN_SECONDS
        if published is None:
            return LOOK_SECONDS
        _log.info(PUBLISHED, size=published.size, publishing_seconds=round(time.monotonic() - began, 3))
        _log.info(WITNESSED, size=published.size, witnesses_missing=published.witnesses_missing)
        self._let_go_of_partials()
        return BETWEEN_CHECKPOINTS_SECONDS

    def _compare(self) -> None:
        ledger.clear_sequencer(
            self.database,
            origin=self.origin,
            signer=self.outside.signer,
            public_log=self.outside.public_log,
            now=self.clock(),
            before=self.outside.before,
            witnesses=self.outside.witnesses,
        )

    def _publish(self) -> ledger.PublishedCheckpoint | None:
        return ledger.publish_checkpoint(
            self.database,
            origin=self.origin,
            signer=self.outside.signer,
            public_log=self.outside.public_log,
            archive=self.outside.archive,
            now=self.clock(),
            before=self.outside.before,
            witnesses=self.outside.witnesses,
        )

    def _let_go_of_partials(self) -> None:
        try:
            ledger.let_go_of_partials(self.database, public_log=self.outside.public_log)
        except Exception as error:  # noqa: BLE001 -- what is kept too long costs a little; the next checkpoint must not wait for it
            _log.error("partials_kept", error=str(error), exc_info=True)


def turns(
    database: Database,
    *,
    origin: str,
    outside: PublisherDependencies,
    clock: Clock,
    elapsed: Callable[[], float] = time.monotonic,
) -> Turn:
    """Publish whenever there is something new; retry soon while the witness quorum is missing.

    `elapsed` gives seconds that no step of a wall clock touches.

    Raises:
        ForkRefused: This database does not extend what the public has seen.
        WitnessesSilent: Too few witnesses answer to know it. The next try is soon.
    """
    publishing = Publishing(database=database, origin=origin, outside=outside, clock=clock)
    publishing.clear()
    return attentive(publishing.turn, meanwhile=publishing.answer_who_waits, elapsed=elapsed)


def attentive(act: Turn, *, meanwhile: Callable[[], None], elapsed: Callable[[], float]) -> Turn:
    """Call `act` when the wait since its last start is over, and `meanwhile` every half second.

    So a new sequencer waits no longer than that.
    """
    due = elapsed()

    def turn() -> float:
        nonlocal due
        meanwhile()
        began = elapsed()
        if began >= due:
            due = began + act()
        return min(LOOK_SECONDS, max(0.0, due - elapsed()))

    return turn


def witnesses_of(policy: Policy) -> ledger.Witnesses:
    """The policy's witnesses, at the addresses in it.

    Raises:
        ValueError: A witness has none.
    """
    without = [witness.name for witness in policy.witnesses if witness.url is None]
    if without:
        raise ValueError(f"The policy gives no address for the witnesses {', '.join(without)}.")
    return ledger.Witnesses(
        policy=policy,
        reached={
            witness.name: HttpWitness(address=witness.url)
            for witness in policy.witnesses
            if witness.url is not None
        },
    )


def main() -> None:
    service, log = ServiceSettings(), LogSettings()
    logging.configure(service=service.service)
    report_errors(service)
    stopping = stop_on_signals()
    database = connect(DatabaseSettings(), application=service.service, pool_size=4)
    outside = PublisherDependencies(
        signer=KmsSigner(key_arn=log.signing_key_arn),
        public_log=S3PublicLog(bucket=log.public_bucket),
        archive=S3Archive(bucket=log.archive_bucket),
        before=former_keys(log),
        witnesses=witnesses_of(parse_policy(log.witness_policy.encode())),
    )
    lead(
        database,
        lock=ledger.PUBLISHER_LOCK,
        start=lambda: turns(database, origin=log.log_origin, outside=outside, clock=system_clock),
        heartbeat_path=service.heartbeat_path,
        stopping=stopping,
    )
    database.close()


if __name__ == "__main__":
    main()
