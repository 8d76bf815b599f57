"""Amazon API Gateway: creates and deletes the usage-plan keys that meter and throttle marketplace buyers.

A key lets nobody in by itself: what is read is decided by tokens (ADR 0136). Keys are looked for among those of the plan alone, so that
no other key of the account can be read: https://docs.aws.amazon.com/apigateway/latest/api/API_GetUsagePlanKeys.html
"""

from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from amply.infra.database import forbid_transaction
from amply.modules.marketplace import MadeKey

_LIMITS: Final = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "max_attempts": 3})
_PAGE: Final = 500
_PAGES_MAX: Final = 100
"""An account has ten thousand keys at most."""


class GatewayKeys:
    """API keys of one usage plan: implements the marketplace's `BuyerKeys`."""

    def __init__(self, *, plan: str) -> None:
        self._plan = plan
        # No type stubs: they are larger than what we use.
        self._client: Any = boto3.client("apigateway", config=_LIMITS)

    def of(self, contract_id: str) -> tuple[str, ...]:
        """Ids of a contract's keys. The name query is a prefix match (in emulators it returns everything), so results
        are filtered.
        """
        forbid_transaction("API Gateway: list keys")
        found: list[str] = []
        asked = {"usagePlanId": self._plan, "nameQuery": contract_id, "limit": _PAGE}
        for _ in range(_PAGES_MAX):
            answer = self._client.get_usage_plan_keys(**asked)
            found.extend(key["id"] for key in answer["items"] if key["name"] == contract_id)
            if not answer.get("position"):
                break
            asked["position"] = answer["position"]
        return tuple(sorted(found))

    def make(self, contract_id: str) -> MadeKey:
        """Create a key named after its contract and add it to the plan; deleted again if that fails."""
        forbid_transaction("API Gateway: make a key")
        made = self._client.create_api_key(name=contract_id, enabled=True)
        try:
            self._client.create_usage_plan_key(usagePlanId=self._plan, keyId=made["id"], keyType="API_KEY")
        except Exception:
            self.end(made["id"])
            raise
        return MadeKey(id=made["id"], value=made["value"])

    def end(self, key_id: str) -> None:
        """Delete a key and its membership in the plan. Idempotent."""
        forbid_transaction("API Gateway: end a key")
        try:
            self._client.delete_api_key(apiKey=key_id)
        except ClientError as error:
            _require_gone(error)
        try:
            self._client.delete_usage_plan_key(usagePlanId=self._plan, keyId=key_id)
        except ClientError as error:
            _require_gone(error)


def _require_gone(error: ClientError) -> None:
    if error.response["Error"]["Code"] != "NotFoundException":
        raise error
