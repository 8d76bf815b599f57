"""Outgoing webhooks: endpoints of organisations, signed deliveries, retries. Import from here only."""

from typing import TYPE_CHECKING

from amply.infra.vault.reencryption import SealedRows, of_records
from amply.modules.webhook_endpoints.deliveries import TOPIC_DELIVERY_REQUESTED
from amply.modules.webhook_endpoints.delivering import DeliveryDependencies, deliver
from amply.modules.webhook_endpoints.domain import TEST_TYPE, EndpointTest, Failure
from amply.modules.webhook_endpoints.lateness import count_late
from amply.modules.webhook_endpoints.models import SigningKeyRow
from amply.modules.webhook_endpoints.ports import Answer, Sender

if TYPE_CHECKING:
    from fastapi import APIRouter

__all__ = [
    "TEST_TYPE",
    "TOPIC_DELIVERY_REQUESTED",
    "Answer",
    "DeliveryDependencies",
    "EndpointTest",
    "Failure",
    "Sender",
    "count_late",
    "deliver",
    "routers",
    "sealed_rows",
]


def routers() -> "tuple[APIRouter, APIRouter]":
    """The module's routes, imported lazily: only the API needs them, and building them is as slow as the rest of the module."""
    from amply.modules.webhook_endpoints import router  # noqa: PLC0415 -- see above

    return (router.router, router.public_router)


def sealed_rows() -> SealedRows:
    """Private signing keys, which key rotation re-encrypts."""
    return of_records(SigningKeyRow)
