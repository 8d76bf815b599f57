"""What only the log's operator can ask: do the database and the log agree?"""

import click

from amply_verify.keys import trust
from amply_verify.log_words import say_reconciled
from amply_verify.reconciling import reconcile_log
from amply_verify.reporting import json_option, key_option, policy_option, report, with_examples
from amply_verify.terminal import progress_bar
from amply_verify.words import Proven


@click.command(
    epilog=with_examples(
        "AMPLY_DATABASE_DSN=postgresql://amply_read@db/amply amply-verify reconcile https://log.amply.example/log"
    )
)
@click.argument("place", metavar="URL_OR_DIR")
@click.option(
    "--dsn",
    envvar="AMPLY_DATABASE_DSN",
    required=True,
    metavar="DSN",
    help="PostgreSQL connection string of a role that may only read; better in AMPLY_DATABASE_DSN than on a command line.",
)
@key_option
@policy_option
@json_option
def reconcile(place: str, dsn: str, key: tuple[str, ...], policy: str | None, *, as_json: bool) -> None:
    """For operators: hold the database against the log.

    Every row of an entry must spell the leaf that the log has at its place, every balance must be the sum of its
    transfers, and no entry of the log may be missing. Only reads, in one snapshot. Needs amply-verify[operator].
    """

    def check() -> Proven:
        trusted = trust(key, policy)
        with progress_bar() as progress:
            return say_reconciled(reconcile_log(place, dsn, trusted, progress))

    report(place, check, as_json=as_json)
