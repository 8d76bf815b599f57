"""Settings from environment variables. Each is set by one line of the task definitions in `stacks/`.

Each part reads only the settings it needs, so that a task without a secret never asks for it.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """Who this process is and where the platform is reached."""

    model_config = SettingsConfigDict(env_prefix="AMPLY_", frozen=True)

    service: str
    environment: str
    livemode: bool
    heartbeat_path: str = ""
    sentry_dsn: SecretStr = SecretStr("")


class TraceSettings(BaseSettings):
    """Where spans are sent; empty sends none. `traced_reads` is the share of requests that only read, 0 to 1."""

    model_config = SettingsConfigDict(env_prefix="AMPLY_", frozen=True)

    traces_url: str = ""
    traced_reads: float = Field(default=0.0, ge=0.0, le=1.0)


class ApiSettings(BaseSettings):
    """Where the API listens and what it tells browsers."""

    model_config = SettingsConfigDict(env_prefix="AMPLY_", frozen=True)

    api_host: str
    api_port: int
    api_tls: bool
    """Whether it speaks TLS itself, by a certificate it makes at its start: who stands in front does not verify it."""
    edge_url: str
    log_url: str
    client_address_header: str


class SiteSettings(BaseSettings):
    """Where the public pages are, for links in letters."""

    model_config = SettingsConfigDict(env_prefix="AMPLY_", frozen=True)

    edge_url: str


class DatabaseSettings(BaseSettings):
    """How to reach PostgreSQL. `auth` is `iam` in the cloud: a token per connection, no stored password.

    `tls` is libpq's sslmode. An instance's certificate chains to RDS's own roots, which no system store holds, and RDS
    Proxy's to Amazon's public ones: the image carries both, and no others, at `tls_roots`.
    """

    model_config = SettingsConfigDict(env_prefix="AMPLY_DATABASE_", frozen=True)

    host: str
    port: int
    name: str
    user: str
    auth: Literal["iam", "password"] = "iam"
    tls: Literal["verify-full", "disable"] = "verify-full"
    tls_roots: str = "/etc/ssl/certs/database-roots.pem"
    password: SecretStr = SecretStr("")


class CacheSettings(BaseSettings):
    """How to reach the Redis-protocol cache."""

    model_config = SettingsConfigDict(env_prefix="AMPLY_CACHE_", frozen=True)

    host: str
    port: int
    tls: bool = True
    password: SecretStr = SecretStr("")


class QueueSettings(BaseSettings):
    """The two work queues."""

    model_config = SettingsConfigDict(env_prefix="AMPLY_QUEUE_", frozen=True)

    high_url: str
    low_url: str


class EventBusSettings(BaseSettings):
    """The event bus that public events are put on."""

    model_config = SettingsConfigDict(env_prefix="AMPLY_", frozen=True)

    event_bus: str


class StripeSettings(BaseSettings):
    """How to speak to Stripe. `api_url` differs from Stripe's own only on a laptop."""

    model_config = SettingsConfigDict(env_prefix="AMPLY_STRIPE_", frozen=True)

    api_url: str = "https://api.stripe.com"
    secret_key: SecretStr = SecretStr("")
    webhook_secret: SecretStr = SecretStr("")
    publishable_key: str = ""


class StripeQueueSettings(BaseSettings):
    """The queue that Stripe's events come to through AWS; empty where none is read."""

    model_config = SettingsConfigDict(env_prefix="AMPLY_STRIPE_", frozen=True)

    events_url: str = ""


class LogSettings(BaseSettings):
    """The transparency log: its origin line, and for the publisher alone its buckets, keys and witnesses.

    `overlapping_key_arn` is the key before, while it overlaps. `former_keys` holds keys that ended, one a line:
    the size of the last tree, a space, the verifier key. `witness_policy` is the text of a policy
    (c2sp.org/tlog-policy) without logs; empty only where nothing is published.
    """

    model_config = SettingsConfigDict(env_prefix="AMPLY_", frozen=True)

    log_origin: str
    public_bucket: str = ""
    archive_bucket: str = ""
    signing_key_arn: str = ""
    overlapping_key_arn: str = ""
    former_keys: str = ""
    witness_policy: str = ""


class ArchiveSettings(BaseSettings):
    """The bucket with Object Lock, for those who keep the audit log there."""

    model_config = SettingsConfigDict(env_prefix="AMPLY_", frozen=True)

    archive_bucket: str


class DocumentSettings(BaseSettings):
    """The bucket of what people hand in."""

    model_config = SettingsConfigDict(env_prefix="AMPLY_", frozen=True)

    documents_bucket: str


class ExportSettings(BaseSettings):
    """The bucket of files that organisations ask for: the worker writes there, the API signs links to them."""

    model_config = SettingsConfigDict(env_prefix="AMPLY_", frozen=True)

    exports_bucket: str


class LakeSettings(BaseSettings):
    """Where data is handed in, and the tables of who lets facts be shared and of datasets; empty where none is taken in.

    The API is told of the bucket and of the first table, and reaches neither table by these settings; what sellers' pages
    read is in `SoldDataSettings`.
    """

    model_config = SettingsConfigDict(env_prefix="AMPLY_LAKE_", frozen=True)

    raw_bucket: str = ""
    consent_table: str = ""
    datasets_table: str = ""


class MarketplaceSettings(BaseSettings):
    """The control plane's tables of what is sold, and the gateway's usage plan; empty where nothing is.

    Who gives tokens and keys is told of contracts, grants, datasets and the plan; who settles months of all but grants and the plan.
    """

    model_config = SettingsConfigDict(env_prefix="AMPLY_LAKE_", frozen=True)

    contracts_table: str = ""
    grants_table: str = ""
    datasets_table: str = ""
    usage_table: str = ""
    revenue_table: str = ""
    usage_plan: str = ""


class SoldDataSettings(BaseSettings):
    """The tables and the bucket that sellers' pages read; all empty where there are no such pages."""

    model_config = SettingsConfigDict(env_prefix="AMPLY_LAKE_", frozen=True)

    datasets_table: str = ""
    usage_table: str = ""
    revenue_table: str = ""
    curated_bucket: str = ""


class MediaSettings(BaseSettings):
    """The bucket of what organisations show of themselves, which the edge serves."""

    model_config = SettingsConfigDict(env_prefix="AMPLY_", frozen=True)

    media_bucket: str


class CommitmentSettings(BaseSettings):
    """The secret that the key which wraps donors' salts is derived from: 43 or more random characters."""

    model_config = SettingsConfigDict(env_prefix="AMPLY_", frozen=True)

    commitment_key: SecretStr


class LinkSettings(BaseSettings):
    """The secret that links in letters to donors are signed with: 43 or more random characters."""

    model_config = SettingsConfigDict(env_prefix="AMPLY_", frozen=True)

    link_key: SecretStr


class PeopleSettings(BaseSettings):
    """The secret that people's addresses and second factors are sealed with: 43 or more random characters.

    `breach_list_url` is asked whether a password is known (k-anonymous); empty asks only the list that we carry along.
    """

    model_config = SettingsConfigDict(env_prefix="AMPLY_", frozen=True)

    people_key: SecretStr
    breach_list_url: str = ""


class ProviderSettings(BaseModel):
    """One OpenID provider that signs people in: what it is called here and to people, and as whom it knows us."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(pattern=r"^[a-z][a-z0-9]{0,30}$")
    name: str = Field(min_length=1, max_length=60)
    issuer: str = Field(pattern=r"^https?://[^\s?#]+$", max_length=500)
    client_id: str = Field(min_length=1, max_length=300)


class OutsideSettings(BaseSettings):
    """OpenID providers as JSON, and their client secrets by key, also as JSON.

    A provider without a secret is not offered: in a new environment nobody has filled any in.
    """

    model_config = SettingsConfigDict(env_prefix="AMPLY_", frozen=True)

    sign_in_providers: tuple[ProviderSettings, ...] = ()
    sign_in_secrets: dict[str, SecretStr] = Field(default_factory=dict)


class OpeningSettings(BaseSettings):
    """The KMS key that wraps the keys for personal data."""

    model_config = SettingsConfigDict(env_prefix="AMPLY_", frozen=True)

    personal_key_arn: str


class VaultSettings(OpeningSettings):
    """The same, with the bucket of key trees, for processes that store or show donors' data."""

    key_tree_bucket: str


class MailSettings(BaseSettings):
    """Sender address, and the SES configuration set that records delivery feedback."""

    model_config = SettingsConfigDict(env_prefix="AMPLY_MAIL_", frozen=True)

    sender: str
    configuration_set: str


class MailFeedbackSettings(BaseSettings):
    """The queue of SES's delivery feedback (bounces, complaints, delays, rejections)."""

    model_config = SettingsConfigDict(env_prefix="AMPLY_MAIL_", frozen=True)

    feedback_url: str
