"""Processes that no task definition describes: replacements for AWS services and Stripe."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from local_cloud import flags, postgres, valkey, witnesses
from local_cloud.cloud import ACCESS
from local_cloud.inputs import digest
from local_cloud.postgres import PostgresCluster
from local_cloud.settings import ACCOUNT, REGION, Settings
from local_cloud.stripe import StripeKeys
from local_cloud.supervisor.part import FAST_SHUTDOWN, Health, Part
from stacks.local_ports import LOOPBACK, witness_part

_HERE = Path(__file__).parent
_PATH = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"}


def cloud(settings: Settings) -> Part:
    """MiniStack with our extensions; its state survives in the run's directory."""
    folder = settings.emulator
    return Part(
        name="cloud",
        command=(str(settings.emulator_python), "-m", "local_cloud.emulator"),
        environment={
            **_PATH,
            "PATH": f"{settings.emulator_python.parent}:{_node_folder()}:{_PATH['PATH']}",
            "PYTHONPATH": str(_HERE.parent),
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "BIND_HOST": LOOPBACK,
            "GATEWAY_PORT": str(settings.ports.cloud),
            "MINISTACK_REGION": REGION,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "PERSIST_STATE": "1",
            "STATE_DIR": str(folder / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(folder / "objects"),
            "AMPLY_MAIL_DIR": str(settings.mail),
            "AMPLY_LOGS_DIR": str(settings.logs),
            # On the loopback interface alone, as `emulator/devices.py` has it.
            "IOT_MTLS_ENABLED": "1" if flags.TERMINALS in flags.remembered(settings) else "0",
            "IOT_MTLS_PORT": str(settings.ports.terminals),
            # This listens on all interfaces, whatever BIND_HOST says.
            "SFTP_ENABLED": "0",
            **ACCESS,
        },
        directory=str(folder),
        log=str(settings.log_of("cloud")),
        health=_answers(f"{settings.cloud_url}/_ministack/health", settings),
        inputs=digest((_HERE / "emulator", settings.root / "services/local_cloud/emulator/requirements.txt")),
    )


def database(cluster: PostgresCluster, settings: Settings) -> Part:
    ready = (str(postgres.binary("pg_isready")), "-q", "-h", LOOPBACK, "-p", str(cluster.port))
    return Part(
        name="postgres",
        command=tuple(cluster.command()),
        environment={"PATH": _PATH["PATH"], "LANG": "C.UTF-8"},
        directory=str(cluster.directory),
        log=str(settings.log_of("postgres")),
        health=Health(command=ready),
        as_nobody=True,
        stop_signal=FAST_SHUTDOWN,
    )


def cache(settings: Settings, *, password: str) -> Part:
    port = settings.ports.valkey
    written = valkey.write_settings(settings.credentials / "valkey.conf", port=port, password=password)
    ping = (str(valkey.binary("valkey-cli")), "-h", LOOPBACK, "-p", str(port), "-e", "ping")
    return Part(
        name="valkey",
        command=(str(valkey.binary("valkey-server")), str(written)),
        environment={**_PATH, "REDISCLI_AUTH": password},
        directory=str(settings.state),
        log=str(settings.log_of("valkey")),
        health=Health(command=ping),
        inputs=digest((written,)),
    )


def stripe(settings: Settings, keys: StripeKeys) -> Part:
    return Part(
        name="stripe",
        command=(str(settings.python), "-m", "stripe_sandbox"),
        environment={
            **_PATH,
            "STRIPE_SANDBOX_PORT": str(settings.ports.stripe),
            "STRIPE_SANDBOX_STATE": str(settings.state / "stripe.sqlite"),
            "STRIPE_SANDBOX_SECRET_KEY": keys.secret_key,
            "STRIPE_SANDBOX_PUBLISHABLE_KEY": keys.publishable_key,
            "STRIPE_SANDBOX_WEBHOOK_URL": f"{settings.api_url}/v1/webhooks/stripe",
            "STRIPE_SANDBOX_WEBHOOK_SECRET": keys.webhook_secret,
        },
        directory=str(settings.state),
        log=str(settings.log_of("stripe")),
        health=_answers(f"{settings.stripe_url}/_sandbox/health", settings),
        inputs=digest((settings.root / "services/stripe_sandbox/src",)),
    )


def witness(settings: Settings, number: int) -> Part:
    """A partner's witness: it knows the log's key and nothing else of the platform."""
    port = settings.ports.witness(number)
    own, services = settings.witness(number), settings.root / "services"
    listening = ("--log-key", str(settings.verifier_key), "--listen", f"{LOOPBACK}:{port}")
    return Part(
        name=witness_part(number),
        command=(*witnesses.command(settings, number), *listening),
        environment=_PATH,
        directory=str(own),
        log=str(settings.log_of(witness_part(number))),
        health=_answers(f"{settings.url(port)}/", settings),
        inputs=digest(
            (settings.verifier_key, services / "verify" / "src", services / "ledger_format" / "src")
        ),
    )


def edge(settings: Settings, *, distribution_host: str) -> Part:
    told = {"AMPLY_EDGE_CLOUD_URL": settings.cloud_url, "AMPLY_EDGE_HOST": distribution_host}
    return _server("edge", settings, port=settings.ports.edge, told=told, source=_HERE / "edge.py")


def outbox(settings: Settings) -> Part:
    told = {"AMPLY_OUTBOX_MAIL": str(settings.mail)}
    return _server("outbox", settings, port=settings.ports.outbox, told=told, source=_HERE / "outbox")


def _server(name: str, settings: Settings, *, port: int, told: Mapping[str, str], source: Path) -> Part:
    command = (str(settings.python), "-m", "uvicorn", f"local_cloud.{name}:app", "--factory")
    listening = ("--host", LOOPBACK, "--port", str(port), "--no-server-header", "--log-level", "warning")
    return Part(
        name=name,
        command=(*command, *listening),
        environment={**_PATH, **told},
        directory=str(settings.state),
        log=str(settings.log_of(name)),
        health=_answers(f"{settings.url(port)}/.well-known/local-{name}", settings),
        inputs=digest((source,)),
    )


def _answers(url: str, settings: Settings) -> Health:
    return Health(command=(str(settings.python), "-I", "-S", str(_HERE / "probe.py"), url))


def _node_folder() -> str:
    """The emulator runs CloudFront Functions with Node."""
    found = shutil.which("node")
    return str(Path(found).parent) if found else ""
