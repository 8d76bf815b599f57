"""`make status`: what runs, and where."""

from rich.console import Console
from rich.table import Table

from local_cloud import flags
from local_cloud.settings import Settings
from local_cloud.supervisor.client import Client
from local_cloud.supervisor.running import PartStatus, State


def show(client: Client, settings: Settings, console: Console) -> bool:
    """Print the table of parts; returns whether all are healthy."""
    parts = client.status()
    if not parts:
        console.print("Nothing runs; type 'make local'.")
        return False
    ports = settings.ports.by_part()
    table = Table(box=None, pad_edge=False)
    for column in ("part", "state", "port", "pid", "up", "restarts"):
        table.add_column(column)
    for part in parts:
        state = f"[green]{part.state}[/]" if part.state is State.HEALTHY else f"[red]{part.state}[/]"
        where = str(ports.get(part.name, ""))
        table.add_row(part.name, state, where, str(part.pid or ""), _duration(part), str(part.restarts or ""))
    console.print(table)
    console.print(f"flags: {flags.words(flags.remembered(settings))}")
    return all(part.state is State.HEALTHY for part in parts)


def _duration(part: PartStatus) -> str:
    minutes, seconds = divmod(int(part.seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {seconds:02} s"
