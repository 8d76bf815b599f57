"""ECS task definitions from the contract: each container gets exactly the variables that `contracts.CONTAINERS` names."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam

from constructs_lib.service import Task, TaskSize
from constructs_lib.waiver import Waiver, waive
from stacks.backup import Backup
from stacks.cache import Cache
from stacks.contracts import CLIENT_ADDRESS_HEADER, CONTAINERS, HEARTBEAT_PATH, TaskName
from stacks.database import Database
from stacks.edge import Edge
from stacks.environment import Environment
from stacks.events import Events
from stacks.keys import Keys
from stacks.lake.marketplace_access import MarketplaceAccess
from stacks.lake.portal import PortalData
from stacks.lake.sharing import SharedData
from stacks.mail import Mail
from stacks.network import POSTGRESQL, VALKEY, Network
from stacks.permissions import allow_spans
from stacks.queues import Queues
from stacks.replica import Replica
from stacks.stack import AmplyStack
from stacks.storage import Storage
from stacks.waivers import NEXT_REVIEW


@dataclass(frozen=True, kw_only=True)
class Foundation:
    """Resources that all tasks use."""

    network: Network
    keys: Keys
    storage: Storage
    database: Database
    cache: Cache
    queues: Queues
    events: Events
    mail: Mail
    edge: Edge
    replica: Replica | None
    """Where copies go; None where losing a region may lose everything."""
    backup: Backup | None
    """None where durability keeps no second tier."""
    shared: SharedData | None
    """Where facts go that donors let be shared; None where no data is shared."""
    marketplace: MarketplaceAccess | None
    """Contracts, tokens and what is owed for released data; None where none is sold."""
    portal: PortalData | None
    """What sellers' pages read; None where there are none."""


def make_task(
    stack: AmplyStack,
    name: TaskName,
    *,
    foundation: Foundation,
    image: ecs.ContainerImage,
    size: TaskSize,
    role: iam.IRole,
    port: int | None = None,
    told: Mapping[str, str] | None = None,
) -> Task:
    """A task definition in `stack` from its contract, with the contract's database user.

    `told` are the values of what only this stack knows of shared data.
    """
    contract = CONTAINERS[name]
    values = _plain(stack, name, foundation)
    secrets = _secrets(foundation)
    if contract.database_user:
        foundation.database.let_sign_in(role, contract.database_user, past_proxy=contract.past_proxy)
    if contract.is_traced and stack.settings.traces:
        allow_spans(stack, f"{name.capitalize()}Spans", role)
    task = Task(
        stack,
        name.capitalize(),
        family=f"{stack.settings.name}-{name}",
        name=name,
        command=contract.command,
        health_check=contract.health_check,
        image=image,
        size=size,
        environment={
            **{key: values[key] for key in sorted(contract.environment)},
            **_of_data(contract.shared_data, foundation.shared, told),
            **_of_data(contract.sold_data, foundation.marketplace),
            **_of_data(contract.portal_data, foundation.portal),
        },
        secrets={key: secrets[key] for key in sorted(contract.secrets)},
        role=role,
        account=stack.account,
        log=stack.log_keeping,
        port=port,
        opens_shells=stack.settings.tasks.opens_shells,
    )
    stack.settings.image.allow_pulling(task.definition)
    waive(task, "AwsSolutions-ECS2", SECRETS_BY_REFERENCE)
    if stack.settings.image.in_ecr:
        waive(task, "AwsSolutions-IAM5[Resource::*]", SIGNING_IN_TO_ECR)
    return task


def _plain(stack: AmplyStack, name: TaskName, foundation: Foundation) -> Mapping[str, str]:
    settings = stack.settings
    contract = CONTAINERS[name]
    on_laptop = settings.addresses is not None
    return {
        "AMPLY_SERVICE": name,
        "AMPLY_ENVIRONMENT": settings.name,
        "AMPLY_LIVEMODE": "true" if settings.livemode else "false",
        "AMPLY_SENTRY_DSN": settings.sentry_dsn,
        "AMPLY_API_HOST": "127.0.0.1" if on_laptop else "0.0.0.0",  # noqa: S104 -- the task's own interface
        "AMPLY_API_PORT": str(settings.api_port),
        "AMPLY_API_TLS": "false" if on_laptop else "true",
        "AMPLY_CLIENT_ADDRESS_HEADER": "" if on_laptop else CLIENT_ADDRESS_HEADER,
        "AMPLY_EDGE_URL": foundation.edge.edge_url,
        "AMPLY_LOG_URL": foundation.edge.log_url,
        "AMPLY_LOG_ORIGIN": settings.log_origin,
        "AMPLY_LOG_KEYS": "\n".join(settings.log_keys),
        "AMPLY_DATABASE_HOST": foundation.database.host_for(past_proxy=contract.past_proxy),
        "AMPLY_DATABASE_PORT": str(POSTGRESQL),
        "AMPLY_DATABASE_NAME": settings.database.name,
        "AMPLY_DATABASE_USER": contract.database_user or "",
        "AMPLY_DATABASE_AUTH": "iam" if contract.database_user else "password",
        "AMPLY_DATABASE_TLS": "disable" if on_laptop else "verify-full",
        "AMPLY_CACHE_HOST": foundation.cache.host,
        "AMPLY_CACHE_PORT": str(VALKEY),
        "AMPLY_CACHE_TLS": "true",
        "AMPLY_QUEUE_HIGH_URL": foundation.queues.high.queue_url,
        "AMPLY_QUEUE_LOW_URL": foundation.queues.low.queue_url,
        "AMPLY_PUBLIC_BUCKET": foundation.storage.public.bucket_name,
        "AMPLY_EXPORTS_BUCKET": foundation.storage.exports.bucket_name,
        "AMPLY_ARCHIVE_BUCKET": foundation.storage.archive.bucket_name,
        "AMPLY_MEDIA_BUCKET": foundation.storage.media.bucket_name,
        "AMPLY_DOCUMENTS_BUCKET": foundation.storage.documents.bucket_name,
        "AMPLY_SIGNING_KEY_ARN": foundation.keys.signing.key_arn,
        "AMPLY_OVERLAPPING_KEY_ARN": foundation.keys.overlapping.key_arn
        if foundation.keys.overlapping
        else "",
        "AMPLY_KEY_TREE_BUCKET": foundation.storage.key_trees.bucket_name,
        "AMPLY_PERSONAL_KEY_ARN": foundation.keys.personal.key_arn,
        "AMPLY_FORMER_KEYS": settings.signing_keys.former_keys(),
        "AMPLY_WITNESS_POLICY": settings.witnesses.policy(),
        "AMPLY_MAIL_SENDER": settings.mail.sender,
        "AMPLY_MAIL_CONFIGURATION_SET": foundation.mail.configuration.configuration_set_name,
        "AMPLY_MAIL_FEEDBACK_URL": foundation.mail.feedback.queue_url,
        "AMPLY_EVENT_BUS": foundation.events.bus.event_bus_name,
        "AMPLY_STRIPE_EVENTS_URL": foundation.events.stripe_events.queue_url,
        "AMPLY_STRIPE_API_URL": settings.stripe.api_url,
        "AMPLY_STRIPE_PUBLISHABLE_KEY": settings.stripe.publishable_key,
        "AMPLY_HEARTBEAT_PATH": HEARTBEAT_PATH,
        "AMPLY_SIGN_IN_PROVIDERS": json.dumps([asdict(each) for each in settings.sign_in]),
        **_traces(settings),
        "AWS_REGION": settings.region,
    }


def _of_data(
    asked: frozenset[str],
    platform: SharedData | MarketplaceAccess | PortalData | None,
    told: Mapping[str, str] | None = None,
) -> Mapping[str, str]:
    """Nothing where there is none: not even names, so that no template changes by a flag that is off."""
    if platform is None:
        return {}
    known = {**platform.names, **(told or {})}
    return {name: known[name] for name in sorted(asked)}


def _traces(settings: Environment) -> Mapping[str, str]:
    """Empty where nothing is recorded."""
    traces = settings.traces
    return {
        "AMPLY_TRACES_URL": f"https://xray.{settings.region}.amazonaws.com/v1/traces" if traces else "",
        "AMPLY_TRACED_READS": str(traces.share_of_reads if traces else 0),
    }


def _secrets(foundation: Foundation) -> Mapping[str, ecs.Secret]:
    from_manager = ecs.Secret.from_secrets_manager
    stripe, master = foundation.keys.stripe, foundation.database.master_secret
    return {
        "AMPLY_STRIPE_SECRET_KEY": from_manager(stripe, "secret_key"),
        "AMPLY_STRIPE_WEBHOOK_SECRET": from_manager(stripe, "webhook_secret"),
        "AMPLY_COMMITMENT_KEY": from_manager(foundation.keys.commitments),
        "AMPLY_LINK_KEY": from_manager(foundation.keys.links),
        "AMPLY_PEOPLE_KEY": from_manager(foundation.keys.people),
        "AMPLY_SIGN_IN_SECRETS": from_manager(foundation.keys.sign_in),
        "AMPLY_CACHE_PASSWORD": from_manager(foundation.cache.password),
        "AMPLY_DATABASE_USER": from_manager(master, "username"),
        "AMPLY_DATABASE_PASSWORD": from_manager(master, "password"),
    }


SECRETS_BY_REFERENCE = Waiver(
    reason="Plain variables hold names and addresses; a test holds every secret to a reference.",
    until=NEXT_REVIEW,
)
SIGNING_IN_TO_ECR = Waiver(
    reason="ecr:GetAuthorizationToken, which every image pull starts with, knows no resource but *.",
    until=NEXT_REVIEW,
)
