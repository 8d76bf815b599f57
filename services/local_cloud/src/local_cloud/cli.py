"""The commands behind `make local`, `demo`, `status`, `logs`, `stop` and `clean`."""

import errno
import os
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime

import click
import httpx2
from rich.console import Console

from local_cloud import clean as cleaning
from local_cloud import doctor, stripe
from local_cloud import status as status_table
from local_cloud.cloud import Cloud
from local_cloud.console import Steps
from local_cloud.demo.joining import join
from local_cloud.demo.payments import walk
from local_cloud.demo.story import take_donation
from local_cloud.deployment import Deployment
from local_cloud.failures import LocalCloudError
from local_cloud.settings import Settings
from local_cloud.supervisor.logs import Follower
from local_cloud.up import Up, client_of, require_part, require_running
from local_cloud.welcome import show_addresses

_FOLLOW_SECONDS = 0.3


_NEXT: Mapping[int, str] = {
    **dict.fromkeys(
        (errno.EACCES, errno.EPERM),
        "type the command as the user whom it belongs to (root: with sudo), or set AMPLY_LOCAL_DIR to another folder",
    ),
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "make room, then type the same command again"),
    errno.EROFS: "set AMPLY_LOCAL_DIR to a folder on another disk",
}
"""What people do about the system's refusals; any other is a defect of ours."""


@click.group()
def cli() -> None:
    """The cloud on a laptop."""


@cli.command()
def up() -> None:
    """Run the whole platform, take a donation and verify it."""
    settings = Settings.from_environment()
    steps = Steps()
    is_new = Up(settings, steps).run()
    is_sandbox = not stripe.brought_account(os.environ)
    if is_sandbox and (is_new or not (settings.state / "demo.json").exists()):
        steps.say("\nA demo donation:")
        take_donation(settings, steps, now=datetime.now(UTC))
    show_addresses(settings, Console())


@cli.command()
def demo() -> None:
    """Take one donation end to end and verify it; the last line is JSON."""
    settings = _own_run()
    require_running(client_of(settings))
    result = take_donation(settings, Steps(), now=datetime.now(UTC))
    click.echo(result.line())


@cli.command()
def demo_payments() -> None:
    """Move money in every way there is and show each way's ledger entries; the last line is JSON."""
    settings = _own_run()
    require_running(client_of(settings))
    result = walk(settings, Steps(), now=datetime.now(UTC))
    click.echo(result.line())


@cli.command()
def demo_organisation() -> None:
    """Let an organisation apply, be verified and take a gift by its own key; the last line is JSON."""
    settings = _own_run()
    require_running(client_of(settings))
    result = join(settings, Steps(), now=datetime.now(UTC))
    click.echo(result.line())


@cli.command()
def demo_lake() -> None:
    """Take data in, release it, sell it, and let a donor take it back; the last line is JSON."""
    from local_cloud.demo.lake.story import share  # noqa: PLC0415 -- the anonymiser's libraries, which no other command needs

    settings = _own_run()
    require_running(client_of(settings))
    result = share(settings, Steps(), now=datetime.now(UTC))
    click.echo(result.line())


@cli.command()
def status() -> None:
    """Show what runs; exits 1 when something does not."""
    settings = _own_run()
    if not status_table.show(client_of(settings), settings, Console()):
        sys.exit(1)


@cli.command()
@click.argument("part", required=False)
def logs(part: str | None) -> None:
    """Follow the logs of all parts, or of one."""
    settings = _own_run()
    known = {path.stem: path for path in sorted(settings.logs.glob("*.log"))}
    if part is not None and part not in known:
        raise LocalCloudError(
            f"There is no log of {part!r}; there are logs of {', '.join(known) or 'nothing'}."
        )
    if not known:
        raise LocalCloudError("There are no logs yet; type 'make local'.")
    follower = Follower(paths={part: known[part]} if part else known)
    try:
        while True:
            for name, line in follower.new_lines():
                click.echo(f"{name:<11}| {line}")
            time.sleep(_FOLLOW_SECONDS)
    except KeyboardInterrupt:
        pass


@cli.command()
def difference() -> None:
    """Show what deploying the app's sources would change; exits 1 when that is anything."""
    sys.exit(_deployment().show_differences())


@cli.command()
def destroy() -> None:
    """Destroy the deployed stacks in the emulated cloud, as `cdk destroy` would in a real one."""
    sys.exit(_deployment().destroy())


def _own_run() -> Settings:
    settings = Settings.from_environment()
    doctor.require_own(settings)
    return settings


def _deployment() -> Deployment:
    settings = _own_run()
    require_part(client_of(settings), "cloud")
    return Deployment(Cloud(settings))


@cli.command()
def stop() -> None:
    """Stop the platform and keep its data."""
    settings = _own_run()
    if not settings.state.exists():
        click.echo("Nothing runs.")
        return
    with Steps().step("stop", "stopping"):
        client_of(settings).end()


@cli.command()
def clean() -> None:
    """Stop the platform and remove everything it made."""
    settings = _own_run()
    doctor.require_run(settings)
    if settings.state.exists():
        client_of(settings).end()
    cleaning.remove_everything(settings)


def main() -> None:
    """Run a command; an error becomes one sentence, the log's last lines, and exit status 1."""
    try:
        cli(standalone_mode=False)
    except LocalCloudError as failure:
        click.echo(f"\n{failure.sentence}", err=True)
        for line in failure.last_log_lines():
            click.echo(f"    {line}", err=True)
        if failure.log is not None:
            click.echo(f"More in {failure.log}", err=True)
        sys.exit(1)
    except httpx2.TransportError as failure:
        url = failure.request.url
        click.echo(f"\nNobody answers at {url} ({failure}); 'make status' says what does not run.", err=True)
        sys.exit(1)
    except OSError as failure:
        if failure.errno is None or failure.errno not in _NEXT:
            raise
        where = f"{failure.filename}: " if failure.filename else ""
        click.echo(f"\n{where}{failure.strerror}; {_NEXT[failure.errno]}.", err=True)
        sys.exit(1)
    except click.ClickException as misuse:
        misuse.show()
        sys.exit(misuse.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("\nInterrupted; what was started runs on. 'make stop' ends it.", err=True)
        sys.exit(130)
