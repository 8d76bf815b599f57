"""The summary after start: addresses, and commands to type next."""

from rich.console import Console
from rich.table import Table

from local_cloud.settings import Settings
from stacks.local_ports import WITNESSES


def show_addresses(settings: Settings, console: Console) -> None:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2))
    for what, where in (
        ("API", settings.api_url),
        ("Interactive docs", f"{settings.api_url}/docs"),
        ("Widget demo page", f"{settings.edge_url}/demo/"),
        ("To integrate", f"{settings.edge_url}/integrate/"),
        ("Public ledger", f"{settings.edge_url}/ledger/"),
        ("Mail outbox", settings.outbox_url),
        ("Stripe sandbox", settings.stripe_url),
        ("Emulated cloud", settings.cloud_url),
        ("Witnesses", ", ".join(settings.url(settings.ports.witness(number)) for number in WITNESSES)),
        ("Policy of witnesses", str(settings.policy)),
    ):
        table.add_row(what, where)
    console.print()
    console.print(table)
    console.print()
    console.print("Next: [bold]make demo[/] takes one more donation, [bold]make status[/] shows what runs,")
    console.print("      [bold]make logs PART=api[/] follows a log, [bold]make stop[/] stops everything.")
