"""What taking a gift costs at least: its rows and its call, written by hand with psycopg and httpx alone.

Record, call, record, and the look at declines and closed forms before it; without what answers mistakes, repeats and cards
that are tried: it knows one kind of gift, and counts nothing.
"""

import json
import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from queue import LifoQueue
from typing import Any, Final

import httpx2
import psycopg
from psycopg.types.json import Jsonb

from amply.infra.settings import DatabaseSettings
from amply.infra.vault import DONOR_INDEX, DONORS, CellLocation, Keyring
from amply.modules.donations import DonationIn

_LOOK: Final = """
    SELECT
        (SELECT count(*) FROM decline WHERE mail = %(mark)s AND declined_at > %(now)s - interval '1 hour'),
        EXISTS (SELECT FROM attack WHERE organization_id = %(organization_id)s AND until > %(now)s),
        (SELECT max(until) FROM form_closing WHERE organization_id = %(organization_id)s AND until > %(now)s)
"""
_CLAIM: Final = """
    INSERT INTO idempotency_key (scope, key, request_hash, resource_id, created_at)
    VALUES ('POST /v1/donations', %(key)s, %(mark)s, %(donation_id)s, %(now)s)
    ON CONFLICT DO NOTHING RETURNING key
"""
_ACCOUNT: Final = """
    SELECT account_id FROM processor_account JOIN organization ON id = organization_id
    WHERE organization_id = %(organization_id)s AND status = 'active' AND state = 'verified'
"""
_DONATION: Final = """
    INSERT INTO donation (id, organization_id, minor_units, currency, status, sealed, donor_index, created_at, updated_at)
    VALUES (%(donation_id)s, %(organization_id)s, %(minor_units)s, %(currency)s, 'pending', %(sealed)s, %(index)s,
            %(now)s, %(now)s)
"""
_PAYMENT: Final = """
    INSERT INTO payment (id, donation_id, organization_id, account_id, minor_units, currency, status, created_at, updated_at)
    VALUES (%(payment_id)s, %(donation_id)s, %(organization_id)s, %(account_id)s, %(minor_units)s, %(currency)s, 'created',
            %(now)s, %(now)s)
"""
_OPENED: Final = """
    INSERT INTO opened_gift (donation_id, organization_id, mail, is_small, opened_at)
    VALUES (%(donation_id)s, %(organization_id)s, %(mark)s, false, %(now)s)
"""
_TOLD: Final = """
    UPDATE payment SET remote_id = %(remote_id)s, status = 'pending', updated_at = %(now)s WHERE id = %(payment_id)s
"""
_ANSWERED: Final = """
    UPDATE idempotency_key SET response_status = 201, response_body = %(body)s
    WHERE scope = 'POST /v1/donations' AND key = %(key)s
"""


class ByHand:
    """Takes gifts, from many threads at once."""

    def __init__(
        self, settings: DatabaseSettings, keyring: Keyring, processor_url: str, *, connections: int
    ) -> None:
        self._keyring = keyring
        self._processor = httpx2.Client(base_url=processor_url, trust_env=False)
        self._idle: LifoQueue[psycopg.Connection[Any]] = LifoQueue()
        for _ in range(connections):
            self._idle.put(
                psycopg.connect(
                    host=settings.host,
                    port=settings.port,
                    dbname=settings.name,
                    user=settings.user,
                    password=settings.password.get_secret_value(),
                    autocommit=True,
                )
            )

    def give(self, body: DonationIn, *, key: str) -> dict[str, Any]:
        """Take one gift; what is answered."""
        values = self._values(body, key=key)
        with self._connection() as connection:
            connection.execute(_LOOK, values).fetchone()
            with connection.transaction():
                connection.execute(_CLAIM, values).fetchone()
                (values["account_id"],) = connection.execute(_ACCOUNT, values).fetchone() or ("",)
                connection.execute(_DONATION, values)
                connection.execute(_PAYMENT, values)
                connection.execute(_OPENED, values)
        intent = self._intent(values)
        values["remote_id"] = intent["id"]
        answer = {
            "id": values["donation_id"],
            "client_secret": intent["client_secret"],
            "created_at": values["now"].isoformat(),
        }
        values["body"] = Jsonb(answer)
        with self._connection() as connection, connection.transaction():
            connection.execute(_TOLD, values)
            connection.execute(_ANSWERED, values)
        return answer

    def close(self) -> None:
        """Close every connection."""
        self._processor.close()
        while not self._idle.empty():
            self._idle.get().close()

    def _values(self, body: DonationIn, *, key: str) -> dict[str, Any]:
        donation_id = f"don_{uuid.uuid4().hex[:26]}"
        content = json.dumps({"donor_name": body.donor.name, "donor_email": body.donor.email}).encode()
        place = CellLocation(table="donation", column="sealed", row=donation_id)
        return {
            "key": key,
            "mark": secrets.token_bytes(16),
            "donation_id": donation_id,
            "payment_id": f"pay_{uuid.uuid4().hex[:26]}",
            "organization_id": body.organization_id,
            "minor_units": int(body.amount.minor_units),
            "currency": body.amount.currency,
            "sealed": self._keyring.seal(content, scope=DONORS, at=place),
            "index": self._keyring.index(body.donor.email, scope=DONOR_INDEX),
            "now": datetime.now(UTC),
        }

    def _intent(self, values: dict[str, Any]) -> Any:
        asked = {
            "amount": values["minor_units"],
            "currency": values["currency"].lower(),
            "automatic_payment_methods[enabled]": "true",
            "metadata[amply_payment_id]": values["payment_id"],
            "metadata[amply_donation_id]": values["donation_id"],
        }
        headers = {"Idempotency-Key": values["payment_id"], "Stripe-Account": values["account_id"]}
        return self._processor.post("/v1/payment_intents", data=asked, headers=headers).json()

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection[Any]]:
        connection = self._idle.get()
        try:
            yield connection
        finally:
            self._idle.put(connection)
