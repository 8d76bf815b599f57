"""Settings from environment variables (`stacks/contracts.py`)."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where everything is. Raises KeyError for what it was not told, and ValueError for what it cannot make sense of."""

    arrivals_url: str
    raw_bucket: str
    curated_bucket: str
    ledger_bucket: str
    datasets_table: str
    consents_table: str
    contracts_table: str
    grants_table: str
    catalogue: str
    pseudonym_key_arn: str
    certificate_key_arn: str
    certificate_name: str
    has_copies: bool
    """Whether what is released has to be in a second region before anybody sees it."""
    heartbeat_path: str

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Settings":
        """From the environment's variables."""
        return cls(
            arrivals_url=environ["AMPLY_LAKE_ARRIVALS_URL"],
            raw_bucket=environ["AMPLY_LAKE_RAW_BUCKET"],
            curated_bucket=environ["AMPLY_LAKE_CURATED_BUCKET"],
            ledger_bucket=environ["AMPLY_LAKE_LEDGER_BUCKET"],
            datasets_table=environ["AMPLY_LAKE_DATASETS_TABLE"],
            consents_table=environ["AMPLY_LAKE_CONSENT_TABLE"],
            contracts_table=environ["AMPLY_LAKE_CONTRACTS_TABLE"],
            grants_table=environ["AMPLY_LAKE_GRANTS_TABLE"],
            catalogue=environ["AMPLY_LAKE_CATALOGUE"],
            pseudonym_key_arn=environ["AMPLY_LAKE_PSEUDONYM_KEY_ARN"],
            certificate_key_arn=environ["AMPLY_LAKE_CERTIFICATE_KEY_ARN"],
            certificate_name=environ["AMPLY_LAKE_CERTIFICATE_NAME"],
            has_copies=_switch(environ["AMPLY_LAKE_COPIES"]),
            heartbeat_path=environ["AMPLY_HEARTBEAT_PATH"],
        )


def _switch(given: str) -> bool:
    if given not in ("true", "false"):
        raise ValueError(f"AMPLY_LAKE_COPIES is {given!r}; say true or false")
    return given == "true"
