"""The whole platform as real processes on loopback, which tests kill and restart."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2

from ledger_format.policies import Policy
from local_cloud import valkey
from stacks.contracts import CONTAINERS, TaskName
from tests.backend.contract.emulated_cloud import emulated_cloud
from tests.backend.span_receiver import Receiver, receiving
from tests.faults import cloud as clouds
from tests.faults import partners
from tests.faults.cloud import Cloud
from tests.faults.database import MASTER, NAME, PASSWORD, PlatformDatabase, start_database
from tests.faults.process import Process
from tests.faults.processor import PUBLISHABLE_KEY, SECRET_KEY, WEBHOOK_SECRET, Processor
from tests.faults.waiting import until
from tests.ports import free_port
from tests.stripe_sandbox.running import NO_TLS
from tests.tmpfs import room

SERVICES: Final = (
    TaskName.API,
    TaskName.WORKER,
    TaskName.SCHEDULER,
    TaskName.SEQUENCER,
    TaskName.PUBLISHER,
)
COMMITMENT_KEY: Final = "k" * 43
LINK_KEY: Final = "l" * 43
PEOPLE_KEY: Final = "p" * 43
_CACHE_PASSWORD: Final = "for-tests-on-loopback"
_OK: Final = 200


@dataclass(frozen=True, kw_only=True)
class Ports:
    """Free when they were chosen."""

    api: int
    stripe: int
    postgres: int
    valkey: int
    witnesses: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Organization:
    """Who receives the gifts."""

    id: str
    account: str


@dataclass(frozen=True, kw_only=True)
class Platform:
    """Everything that runs, by name."""

    directory: Path
    ports: Ports
    http: httpx2.Client
    cloud: Cloud
    database: PlatformDatabase
    receiver: Receiver
    policy: Policy
    processes: dict[str, Process]

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.api}"

    @property
    def processor(self) -> Processor:
        return Processor(url=f"http://127.0.0.1:{self.ports.stripe}", http=self.http)

    def __getitem__(self, name: str) -> Process:
        return self.processes[name]

    def restart(self, *names: str) -> None:
        """Kill these, and start them again; returns when all of them work."""
        for name in names:
            self[name].kill()
        for name in names:
            self[name].launch()
        for name in names:
            self[name].wait_until_ready()

    def twin(self, task: TaskName) -> Process:
        """A second process of a service, as a deployment that overlaps or a mistake would start it."""
        name = f"{task}-twin"
        self.processes.setdefault(name, self._service(task, name=name))
        return self.processes[name]

    def organization(self) -> Organization:
        """The one organisation, made and onboarded with the command that operators use."""
        create = (
            *("create", "--name", "River Trust", "--slug", "river-trust", "--country", "DE"),
            *("--onboard", "--email", "treasurer@river-trust.example"),
        )

        def active() -> Organization | None:
            made = json.loads(self.admin(TaskName.WORKER, "organization", *create).splitlines()[-1])
            return (
                Organization(id=made["id"], account=made["stripe_account"])
                if made["status"] == "active"
                else None
            )

        return until(active, otherwise="the organisation's account is not active")

    def admin(self, task: TaskName, *arguments: str) -> str:
        """Run the administration's command line in a task's environment; answers what it printed."""
        done = subprocess.run(
            ["python", "-m", "amply.entrypoints.admin", *arguments],
            env=self.environment(task, name="admin"),
            cwd=self.directory,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def environment(self, task: TaskName, *, name: str) -> dict[str, str]:
        """What the container contract names for a task, and nothing else of ours."""
        contract = CONTAINERS[task]
        told = self._values(task, name)
        declared = {key: told[key] for key in sorted(contract.environment | contract.secrets)}
        # Stands for the IAM token that services sign in with.
        signing_in = {"AMPLY_DATABASE_PASSWORD": PASSWORD} if contract.database_user else {}
        return {
            **partners.image_and_runtime(self.directory),
            **declared,
            **signing_in,
            **clouds.access(self.cloud.url),
        }

    def _values(self, task: TaskName, name: str) -> Mapping[str, str]:
        return {
            **self.cloud.values,
            "AMPLY_SERVICE": task,
            "AMPLY_ENVIRONMENT": "local",
            "AMPLY_LIVEMODE": "false",
            "AMPLY_SENTRY_DSN": "",
            "AMPLY_TRACES_URL": self.receiver.url,
            "AMPLY_TRACED_READS": "0",
            "AMPLY_API_HOST": "127.0.0.1",
            "AMPLY_API_PORT": str(self.ports.api),
            "AMPLY_API_TLS": "false",
            # The header our gateway writes, so that donors' addresses differ as they do outside.
            "AMPLY_CLIENT_ADDRESS_HEADER": "X-Amply-Client",
            "AMPLY_EDGE_URL": "http://127.0.0.1:1",
            "AMPLY_LOG_URL": clouds.LOG_ADDRESS,
            "AMPLY_DATABASE_HOST": "127.0.0.1",
            "AMPLY_DATABASE_PORT": str(self.ports.postgres),
            "AMPLY_DATABASE_NAME": NAME,
            "AMPLY_DATABASE_USER": CONTAINERS[task].database_user or MASTER,
            "AMPLY_DATABASE_AUTH": "password",
            "AMPLY_DATABASE_TLS": "disable",
            "AMPLY_DATABASE_PASSWORD": PASSWORD,
            "AMPLY_CACHE_HOST": "127.0.0.1",
            "AMPLY_CACHE_PORT": str(self.ports.valkey),
            "AMPLY_CACHE_TLS": "false",
            "AMPLY_CACHE_PASSWORD": _CACHE_PASSWORD,
            "AMPLY_STRIPE_API_URL": self.processor.url,
            "AMPLY_STRIPE_SECRET_KEY": SECRET_KEY,
            "AMPLY_STRIPE_PUBLISHABLE_KEY": PUBLISHABLE_KEY,
            "AMPLY_STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "AMPLY_COMMITMENT_KEY": COMMITMENT_KEY,
            "AMPLY_LINK_KEY": LINK_KEY,
            "AMPLY_PEOPLE_KEY": PEOPLE_KEY,
            "AMPLY_SIGN_IN_PROVIDERS": "[]",
            "AMPLY_SIGN_IN_SECRETS": "{}",
            "AMPLY_WITNESS_POLICY": self.policy.text(),
            "AMPLY_OVERLAPPING_KEY_ARN": "",
            "AMPLY_FORMER_KEYS": "",
            "AMPLY_EXPORTS_BUCKET": "exports",
            "AMPLY_MEDIA_BUCKET": "media",
            "AMPLY_HEARTBEAT_PATH": str(self._heartbeat(name)),
        }

    def _heartbeat(self, name: str) -> Path:
        return self.directory / f"{name}.heartbeat"

    def service(self, task: TaskName, *, name: str, **instead: str) -> Process:
        """A process of a service that is none of the platform's; `instead` replaces parts of its environment."""
        made = self._service(task, name=name)
        made.environment = {**made.environment, **instead}
        return made

    def _service(self, task: TaskName, *, name: str) -> Process:
        heartbeat = self._heartbeat(name)
        answers = self._answers(f"{self.api_url}/health/ready")
        return Process(
            name=name,
            command=CONTAINERS[task].command,
            environment=self.environment(task, name=name),
            log=self.directory / f"{name}.log",
            prepare=lambda: heartbeat.unlink(missing_ok=True),
            is_ready=answers if task == TaskName.API else heartbeat.exists,
        )

    def _sandbox(self) -> Process:
        return Process(
            name="stripe",
            command=("python", "-m", "stripe_sandbox"),
            environment={
                **partners.image_and_runtime(self.directory),
                "STRIPE_SANDBOX_PORT": str(self.ports.stripe),
                "STRIPE_SANDBOX_STATE": str(self.directory / "stripe.sqlite"),
                "STRIPE_SANDBOX_SECRET_KEY": SECRET_KEY,
                "STRIPE_SANDBOX_PUBLISHABLE_KEY": PUBLISHABLE_KEY,
                "STRIPE_SANDBOX_WEBHOOK_URL": f"{self.api_url}/v1/webhooks/stripe",
                "STRIPE_SANDBOX_WEBHOOK_SECRET": WEBHOOK_SECRET,
            },
            log=self.directory / "stripe.log",
            is_ready=self._answers(f"{self.processor.url}/_sandbox/health"),
        )

    def _witnesses(self) -> list[Process]:
        key = self.cloud.verifier_key()
        return [
            partners.witness(self.directory, name, port=port, log_key=key, http=self.http)
            for name, port in self.ports.witnesses.items()
        ]

    def _valkey(self) -> Process:
        settings = valkey.write_settings(
            self.directory / "valkey.conf", port=self.ports.valkey, password=_CACHE_PASSWORD
        )
        log = self.directory / "valkey.log"
        return Process(
            name="valkey",
            command=(str(valkey.binary("valkey-server")), str(settings)),
            environment={"PATH": os.environ["PATH"]},
            log=log,
            prepare=lambda: log.unlink(missing_ok=True),
            is_ready=lambda: b"Ready to accept connections" in log.read_bytes(),
        )

    def _answers(self, url: str) -> Callable[[], bool]:
        def answers() -> bool:
            try:
                return self.http.get(url).status_code == _OK
            except httpx2.TransportError:
                return False

        return answers

    def furnish(self) -> None:
        """Know every process, start the surroundings, bring the schema, then start the services."""
        for process in (self._valkey(), self._sandbox(), *self._witnesses()):
            self.processes[process.name] = process
            process.launch()
        self.admin(TaskName.ROLES, "roles")
        self.admin(TaskName.MIGRATE, "migrate")
        self["stripe"].wait_until_ready()
        for task in SERVICES:
            self.processes[task] = self._service(task, name=task)
            self[task].launch()
        for process in self.processes.values():
            process.wait_until_ready()


@contextmanager
def running_platform() -> Iterator[Platform]:
    """Start everything; at the end nothing is left of it."""
    ports = Ports(
        api=free_port(),
        stripe=free_port(),
        postgres=free_port(),
        valkey=free_port(),
        witnesses={name: free_port() for name in partners.WITNESSES},
    )
    processes: dict[str, Process] = {}
    with ExitStack() as stack:
        directory = stack.enter_context(room("faults"))
        url = stack.enter_context(emulated_cloud(port=free_port(), directory=_made(directory / "cloud")))
        http = stack.enter_context(httpx2.Client(timeout=30, trust_env=False, verify=NO_TLS))
        cloud = stack.enter_context(clouds.furnished(url, http))
        receiver = stack.enter_context(receiving())
        database = start_database(directory, port=ports.postgres)
        stack.callback(database.stop_fast)
        stack.callback(_kill_all, processes)
        platform = Platform(
            directory=directory,
            ports=ports,
            http=http,
            cloud=cloud,
            database=database,
            receiver=receiver,
            policy=partners.policy(directory, ports.witnesses),
            processes=processes,
        )
        platform.furnish()
        yield platform


def _made(directory: Path) -> Path:
    directory.mkdir()
    return directory


def _kill_all(processes: Mapping[str, Process]) -> None:
    for process in processes.values():
        process.kill()
