"""Every command of the administration is said to be recorded or to read only; who adds one has to say which."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import click
import pytest

from amply.entrypoints import admin_recorded
from amply.entrypoints.admin import main
from amply.entrypoints.admin_commands import commands
from amply.entrypoints.admin_recorded import READS, RECORDED, hold, walked
from amply.kernel.errors import InvariantViolation
from amply.modules import audit
from tests.backend import recorded_routes

BEFORE_THE_TABLES = {"migrate", "roles"}
"""They make what records are written into; the release's log and the table of revisions tell of them."""


def test_every_command_is_in_one_of_the_two_lists() -> None:
    found = {path for path, _ in walked(commands)}
    assert found == RECORDED.keys() | READS
    assert RECORDED.keys() & READS == set()
    everything = set(main.list_commands(click.Context(main)))
    assert everything - commands.commands.keys() == BEFORE_THE_TABLES


def test_what_is_named_of_a_command_are_its_parameters() -> None:
    for path, command in walked(commands):
        how = RECORDED.get(path)
        if how is not None:
            named = {*how.targets, *how.reads_without, *how.flags, how.organization, how.reason} - {None}
            assert named <= {each.name for each in command.params}, path


def test_every_action_is_taken_by_a_command_or_a_route() -> None:
    commanded = {how.action for how in RECORDED.values()}
    over_http = {*recorded_routes.RECORDED.values(), *recorded_routes.OF_PEOPLE.values()} - {None}
    assert commanded | over_http | recorded_routes.BY_OTHERS == set(audit.Action)


def test_a_command_that_nobody_classed_is_refused() -> None:
    group = click.Group(commands={"give-away": click.Command("give-away", callback=lambda: None)})
    with pytest.raises(InvariantViolation, match="give-away"):
        hold(group)


class Agent(BaseHTTPRequestHandler):
    """What a task in ECS asks about itself."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/v4/x/task" else 404)
        self.end_headers()
        self.wfile.write(
            json.dumps({"TaskARN": f"arn:aws:ecs:eu-west-1:1:task/cluster/{'0a' * 16}"}).encode()
        )

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the same
        """Say nothing."""


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_a_task_is_named_by_its_id_and_a_laptop_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    named = admin_recorded._task_id.__wrapped__
    monkeypatch.delenv("ECS_CONTAINER_METADATA_URI_V4", raising=False)
    assert named() is None
    with HTTPServer(("127.0.0.1", 0), Agent) as server:
        base = f"http://127.0.0.1:{server.server_port}/v4"
        thread = Thread(target=server.serve_forever)
        thread.start()
        for path, name in (("x", f"task/{'0a' * 16}"), ("y", "task-unknown")):
            monkeypatch.setenv("ECS_CONTAINER_METADATA_URI_V4", f"{base}/{path}")
            assert named() == name
        server.shutdown()
        thread.join()
