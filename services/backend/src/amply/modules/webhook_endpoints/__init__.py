"""Webhook endpoints: where organisations have their events sent, signed and tried again. Import from here only."""

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
    "TOPIC_ASKED",
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
    """Its routes, which the API alone loads: to make them takes as long as everything else of a module."""
    from amply.modules.webhook_endpoints import router  # noqa: PLC0415 -- see above

    return (router.router, router.public_router)


def sealed_rows() -> SealedRows:
    """The private keys, which the vault keeps sealed by the newest keys."""
    return of_records(SigningKeyRow)
