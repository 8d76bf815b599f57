"""`restore-log`: restores entries that the public log has and this database has lost."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from amply.infra.database import connect
from amply.infra.roles import OWNER
from amply.infra.settings import DatabaseSettings
from amply.kernel.clock import system_clock
from amply.kernel.errors import InvariantViolation
from amply.kernel.money import Money
from amply.modules import ledger
from ledger_format.entries import Phase
from ledger_format.errors import FormatError
from ledger_format.notes import VerifierKey


class MoveIn(BaseModel):
    """One transfer of a fact, in the log's own words; the amount is a decimal in minor units."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    d: str
    c: str
    cur: str
    amt: str = Field(pattern=r"^[1-9][0-9]{0,18}$")
    phase: Phase | None = None
    pending: str | None = None

    def transfer(self) -> ledger.NewTransfer:
        """The transfer that would be posted."""
        return ledger.NewTransfer(
            debit=self.d,
            credit=self.c,
            amount=Money(minor_units=int(self.amt), currency=self.cur),
            phase=self.phase,
            pending=self.pending,
        )


class FactIn(BaseModel):
    """A line of the file of facts: what the processor knows, as it would be booked when it is delivered again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    idempotency_key: str
    kind: str
    organization_id: str
    event_at: datetime
    transfers: list[MoveIn]
    reverses: str | None = None
    supersedes: str | None = None
    matches: str | None = None
    reason: str | None = None

    def entry(self) -> ledger.NewEntry:
        """The entry that would be posted."""
        return ledger.NewEntry(
            kind=self.kind,
            organization_id=self.organization_id,
            idempotency_key=self.idempotency_key,
            event_at=self.event_at,
            reference=None,
            transfers=tuple(move.transfer() for move in self.transfers),
            reverses=self.reverses,
            supersedes=self.supersedes,
            matches=self.matches,
            reason=self.reason,
        )


@click.command()
@click.option("--log", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--key", required=True, help="the verifier key that people pin: origin+id+key")
@click.option("--facts", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore_log(*, log: Path, key: str, facts: Path | None) -> None:
    """Put back entries that the public log has and this database lost; running it again changes nothing.

    LOG is a copy of the public log: the folder with `checkpoint` and `tile`. Nothing is written unless it fits the
    signed checkpoint and what this database still has. FACTS is a file of JSON lines: what the processor knows of the
    lost time, so that events which it delivers again are not booked again. See docs/runbooks/ledger-fork.md.
    """
    try:
        verifier = VerifierKey.parse(key)
    except FormatError as error:
        raise click.UsageError(f"--key is no verifier key ({error}): print it with verifier-key.") from error
    known = list(read_facts(facts)) if facts else []
    database = connect(DatabaseSettings(), application="admin", pool_size=1)
    try:
        restored = ledger.restore_log(
            database,
            key=verifier,
            read=lambda path: _read(log / path),
            facts=known,
            now=system_clock(),
            owner=OWNER,
        )
    finally:
        database.close()
    click.echo(
        json.dumps(
            {
                "entries_before": restored.start,
                "entries": restored.size,
                "had_waited": restored.waiting,
                "without_fact": list(restored.keyless),
            }
        )
    )


def read_facts(path: Path) -> Iterator[ledger.NewEntry]:
    """Read a file of facts.

    Raises:
        click.UsageError: A line is not a fact.
    """
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        try:
            yield FactIn.model_validate_json(line).entry()
        except (ValidationError, InvariantViolation) as error:
            raise click.UsageError(
                f"Line {number} of {path} is no fact: {error}. Mend or remove it."
            ) from error


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
