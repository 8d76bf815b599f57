"""`make local`: starts the whole platform, from any previous state."""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from local_cloud import (
    database,
    doctor,
    flags,
    laptop,
    parts,
    pinned_policy,
    stripe,
    tasks,
    verifier_key,
    witnesses,
)
from local_cloud.cloud import Cloud
from local_cloud.console import Steps
from local_cloud.deployment import Deployment
from local_cloud.failures import LocalCloudError
from local_cloud.overrides import Laptop
from local_cloud.ports import require_free
from local_cloud.settings import Settings
from local_cloud.supervisor.client import Client
from local_cloud.supervisor.part import Part
from local_cloud.supervisor.running import State
from local_cloud.tasks import Task
from stacks.local_ports import WITNESSES

_FOUNDATIONS = ("cloud", "postgres", "valkey")
_FRONTS = ("edge", "outbox")
START_ORDER = ("api", "worker", "scheduler", "sequencer", "publisher")


class Up:
    """The story of `up`, a step a method; each changes only what differs from what runs."""

    def __init__(self, settings: Settings, steps: Steps) -> None:
        self._settings = settings
        self._steps = steps
        self._cloud = Cloud(settings)
        self._client = client_of(settings)
        self._described: set[str] = set()
        self._has_changed = False

    def run(self) -> bool:
        """Start everything; returns whether anything was started, restarted or deployed."""
        doctor.require_everything(self._settings)
        self._settings.prepare()
        with alone(self._settings):
            self._run()
        return self._has_changed

    def _run(self) -> None:
        flags.choose(self._settings, os.environ)
        self._require_ports()
        self._client.start()
        machine = laptop.of(self._settings)
        self._ensure("cloud", "emulated cloud", parts.cloud(self._settings))
        self._deploy()
        roles, migrate = (tasks.one_off(self._cloud, name) for name in ("roles", "migrate"))
        services = {task.name: task for task in tasks.services(self._cloud)}
        self._run_database(migrate, machine)
        self._run_cache(services)
        self._run_processor(services)
        self._migrate(machine, roles, migrate)
        self._run_witnesses()
        self._pin_policy()
        self._run_services(services, machine)
        self._run_fronts()
        self._client.retire_all_but(self._described)

    def _require_ports(self) -> None:
        """Ask only for parts that do not run yet: their own ports are taken by themselves."""
        running = {status.name for status in self._client.status() if status.state is not State.STOPPED}
        for part, port in self._settings.ports.by_part().items():
            if part not in running:
                require_free(part, port)
        if "cloud" not in running and flags.TERMINALS in flags.remembered(self._settings):
            require_free("cloud", self._settings.ports.terminals)

    def _deploy(self) -> None:
        deployment = Deployment(self._cloud)
        if not deployment.is_bootstrapped():
            with self._steps.step("bootstrap", "CDK bootstrap"):
                deployment.bootstrap()
        if deployment.is_current():
            self._steps.say("  CDK app: nothing changed")
            return
        with self._steps.step("deploy", "CDK app, local stage"):
            deployment.deploy()
        self._has_changed = True

    def _run_database(self, migrate: Task, machine: Laptop) -> None:
        cluster = database.cluster(self._cloud)
        database.initialise(cluster)
        self._ensure("postgres", "PostgreSQL", parts.database(cluster, self._settings))
        name = migrate.environment["AMPLY_DATABASE_NAME"]
        database.prepare(cluster, name=name, passwords=machine.database_passwords)

    def _run_cache(self, services: Mapping[str, Task]) -> None:
        """Its password is the deployed one, so that the services' own secret opens it."""
        password = tasks.secret(services["api"], "AMPLY_CACHE_PASSWORD", self._cloud)
        self._ensure("valkey", "Valkey", parts.cache(self._settings, password=password))

    def _run_processor(self, services: Mapping[str, Task]) -> None:
        publishable = services["api"].environment["AMPLY_STRIPE_PUBLISHABLE_KEY"]
        keys = stripe.keys(self._settings, publishable_key=publishable, environ=os.environ)
        stripe.fill_in(self._cloud, keys)
        if keys.is_sandbox:
            self._ensure("stripe", "Stripe sandbox", parts.stripe(self._settings, keys))

    def _migrate(self, machine: Laptop, *one_after_another: Task) -> None:
        with self._steps.step("migrate", "roles and migrations"):
            for task in one_after_another:
                environment = tasks.environment(task, cloud=self._cloud, laptop=machine)
                tasks.run(task, environment=environment, settings=self._settings)

    def _run_witnesses(self) -> None:
        """Before the publisher, which is told of their keys."""
        log_key = verifier_key.write(self._cloud, self._settings.verifier_key)
        witnesses.write_policy(self._settings, log_key)
        described = [parts.witness(self._settings, number) for number in WITNESSES]
        self._ensure("witnesses", "three witnesses", *described)

    def _pin_policy(self) -> None:
        """The pages check receipts against this run's own log and witnesses."""
        self._has_changed |= pinned_policy.pin(self._cloud, self._settings.policy.read_text())

    def _run_services(self, services: Mapping[str, Task], machine: Laptop) -> None:
        described = [
            tasks.part(
                task,
                environment=tasks.environment(task, cloud=self._cloud, laptop=machine),
                settings=self._settings,
            )
            for task in services.values()
        ]
        described.sort(key=lambda part: _start_order(part.name))
        self._ensure("services", ", ".join(part.name for part in described), *described)

    def _run_fronts(self) -> None:
        host = self._cloud.distribution_host()
        edge = parts.edge(self._settings, distribution_host=host)
        self._ensure("fronts", "edge, mail outbox", edge, parts.outbox(self._settings))

    def _ensure(self, name: str, words: str, *described: Part) -> None:
        self._described.update(part.name for part in described)
        with self._steps.step(name, words):
            self._has_changed |= self._client.ensure(*described)


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Lock the run against concurrent commands."""
    with settings.lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalCloudError(
                f"Another 'make local' is at work in {settings.state}: wait until it is done, then type it again, or choose "
                "another folder and other ports with AMPLY_LOCAL_DIR and AMPLY_PORT_BASE."
            ) from None
        yield


def client_of(settings: Settings) -> Client:
    return Client(run=settings.state, log=settings.log_of("supervisor"))


def require_running(client: Client) -> None:
    """Raise the sentence that names what does not run, or is not well; a witness may be away."""
    present = {part.name for part in client.status()}
    for name in (*_FOUNDATIONS, *START_ORDER, *_FRONTS, *({"stripe"} & present)):
        require_part(client, name)


def require_part(client: Client, name: str) -> None:
    """Raise the sentence that says that nothing runs, or that this part is not well."""
    states = {part.name: part.state for part in client.status()}
    if not states:
        raise LocalCloudError("The platform does not run; type 'make local'.")
    state = states.get(name, State.STOPPED)
    if state is not State.HEALTHY:
        raise LocalCloudError(f"The part {name} is {state}; 'make logs PART={name}' says more.")


def _start_order(name: str) -> int:
    return START_ORDER.index(name) if name in START_ORDER else len(START_ORDER)
