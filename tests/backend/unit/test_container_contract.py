"""Each task is told exactly what its entrypoint reads: no variable missing, none too many."""

import ast
import importlib
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from amply.infra import settings
from stacks.contracts import CONTAINERS, TaskName

# Read by libraries, by the health check, or by the container's platform rather than by our settings.
_READ_ELSEWHERE = {"AWS_REGION"}
_OPTIONAL = {"AMPLY_SENTRY_DSN", "AMPLY_DATABASE_PASSWORD"}


def settings_of(task: TaskName) -> list[type[BaseSettings]]:
    """The settings classes an entrypoint instantiates, found in its source and in that of its parts beside it."""
    source = Path(importlib.import_module(CONTAINERS[task].command[2]).__file__ or "")
    parts = source.with_name(f"{source.stem}_parts.py")
    called = {
        node.func.id
        for file in (source, parts)
        if file.exists()
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    return [getattr(settings, name) for name in sorted(called) if name.endswith("Settings")]


def names(kind: type[BaseSettings], *, required: bool) -> set[str]:
    prefix = kind.model_config["env_prefix"]
    fields = kind.model_fields.items()
    return {f"{prefix}{name}".upper() for name, field in fields if field.is_required() or not required}


ONCE = {TaskName.MIGRATE, TaskName.ROLES, TaskName.REHEARSE, TaskName.ADMIN}
ELSEWHERE = {TaskName.RELEASES}
"""Another package's, which reads the environment by itself; tests/infrastructure/test_lake.py."""
RUNNING = [task for task in TaskName if task not in ONCE | ELSEWHERE]


@pytest.mark.parametrize("task", RUNNING)
def test_a_task_is_told_everything_its_entrypoint_requires(task: TaskName) -> None:
    told = CONTAINERS[task].environment | CONTAINERS[task].secrets
    required = set().union(*(names(kind, required=True) for kind in settings_of(task)))

    assert required
    assert required - told == set()


@pytest.mark.parametrize("task", RUNNING)
def test_a_task_is_told_nothing_its_entrypoint_does_not_read(task: TaskName) -> None:
    told = CONTAINERS[task].environment | CONTAINERS[task].secrets
    readable = set().union(*(names(kind, required=False) for kind in settings_of(task)))

    assert told - readable - _READ_ELSEWHERE == set()


@pytest.mark.parametrize("task", [TaskName.MIGRATE, TaskName.ROLES])
def test_who_changes_the_database_is_told_how_to_sign_in_and_nothing_else(task: TaskName) -> None:
    told = CONTAINERS[task].environment | CONTAINERS[task].secrets
    others = set(CONTAINERS[TaskName.SCHEDULER].environment) & told

    assert names(settings.DatabaseSettings, required=True) <= told
    assert told - others <= names(settings.DatabaseSettings, required=False)


def test_the_administration_is_told_what_organisations_books_and_webhooks_need_and_no_more() -> None:
    """Other commands of the same entrypoint read the key of commitments or the log's: they are not for this task."""
    told = CONTAINERS[TaskName.ADMIN].environment | CONTAINERS[TaskName.ADMIN].secrets
    others = set(CONTAINERS[TaskName.SCHEDULER].environment) & told
    needed = (
        settings.DatabaseSettings,
        settings.StripeSettings,
        settings.ArchiveSettings,
        settings.DocumentSettings,
        settings.OpeningSettings,
    )

    assert set().union(*(names(kind, required=True) for kind in needed)) <= told
    assert told - others <= set().union(*(names(kind, required=False) for kind in needed))


def test_where_data_is_sold_tasks_are_told_the_tables_that_they_read_and_no_others() -> None:
    """Who makes tokens sees no use of them, and who settles months sees no tokens."""
    told = {task: CONTAINERS[task].sold_data for task in TaskName if CONTAINERS[task].sold_data}

    assert set(told) == {TaskName.ADMIN, TaskName.WORKER}
    assert frozenset().union(*told.values()) == names(settings.MarketplaceSettings, required=False)
    assert told[TaskName.WORKER] ^ told[TaskName.ADMIN] == {
        *("AMPLY_LAKE_GRANTS_TABLE", "AMPLY_LAKE_USAGE_PLAN"),
        *("AMPLY_LAKE_REVENUE_TABLE", "AMPLY_LAKE_USAGE_TABLE"),
    }


def test_one_task_alone_is_given_the_masters_password() -> None:
    given = {task for task in TaskName if "AMPLY_DATABASE_PASSWORD" in CONTAINERS[task].secrets}

    assert given == {TaskName.ROLES}
    assert CONTAINERS[TaskName.MIGRATE].database_user == "amply_migrate"
