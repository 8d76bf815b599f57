"""Terminals in IoT Core's registry. Every call is idempotent."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from botocore.exceptions import ClientError

TERMINAL: Final = re.compile(r"org_[0-9a-hjkmnp-tv-z]{26}:[a-z0-9][a-z0-9-]{0,31}", re.ASCII)
"""As `amply_terminals.handed` reads it out of a topic."""
KINDS: Final = ("gifts", "counters")
_SHUT_OUT: Final = "shut_out"
"""A thing's attribute: the day its last certificate was revoked. Its label is used up, since numbers of messages never begin anew."""
_ATTEMPTED: Final = ("INACTIVE", "PENDING_ACTIVATION")


class RegistryError(Exception):
    """It cannot be done; the message says what to do instead."""


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """`id` is what IoT Core calls it: the SHA-256 of its bytes."""

    id: str
    arn: str
    status: str


@dataclass(frozen=True, kw_only=True)
class Issued:
    """A new, inactive certificate, and what the terminal must be configured with."""

    id: str
    pem: str
    endpoint: str
    client_id: str
    topics: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Registry:
    """`iot` is a client of one account and region."""

    iot: Any
    environment: str

    @property
    def name(self) -> str:
        """Of the group and of the policy; stacks/lake/terminals.py makes both."""
        return f"amply-{self.environment}-terminals"

    def terminals(self) -> list[str]:
        self._look()
        pages = self.iot.get_paginator("list_things_in_thing_group").paginate(thingGroupName=self.name)
        return sorted(thing for page in pages for thing in page["things"])

    def certificates(self, terminal: str) -> list[Certificate]:
        """Those that are attached to it, whatever their standing. None for a terminal that there is not."""
        try:
            principals = self.iot.list_thing_principals(thingName=terminal)["principals"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return []
            raise
        return sorted((self._described(arn) for arn in principals), key=lambda found: found.id)

    def register(self, terminal: str, request: str) -> Issued:
        """Make the terminal and its first certificate.

        Raises:
            RegistryError: It has one already or was shut out, is no name of a terminal, or the environment takes none.
        """
        if TERMINAL.fullmatch(terminal) is None:
            raise RegistryError(
                f"{terminal!r} is no terminal: write ORGANISATION:LABEL, such as org_…:lobby, in small letters, digits and hyphens."
            )
        self._look()
        self._refuse_shut_out(terminal)
        self.iot.create_thing(thingName=terminal)
        self.iot.add_thing_to_thing_group(thingGroupName=self.name, thingName=terminal)
        self._drop_attempts(terminal)
        if stands := self.certificates(terminal):
            raise RegistryError(
                f"{terminal} has the certificate {stands[0].id} already: write 'renew' to give it another beside it, "
                "or 'revoke' to shut it out."
            )
        return self._issue(terminal, request)

    def renew(self, terminal: str, request: str) -> Issued:
        """Make another certificate beside the one it has.

        Raises:
            RegistryError: It has none or was shut out, or the environment takes no terminals.
        """
        self._look()
        self._refuse_shut_out(terminal)
        self._drop_attempts(terminal)
        if not self.certificates(terminal):
            raise RegistryError(f"{terminal} has no certificate to renew: write 'register'.")
        return self._issue(terminal, request)

    def activate(self, issued: Issued) -> None:
        """Last, when whoever asked has it in hand."""
        self.iot.update_certificate(certificateId=issued.id, newStatus="ACTIVE")

    def revoke(self, terminal: str, only: str | None = None, *, today: date) -> Iterator[Certificate]:
        """Shut out all its certificates, or one; each is yielded once nothing accepts it any more.

        Where none is left the terminal is shut out for good, which is noted first.

        Raises:
            RegistryError: It has no such certificate.
        """
        all_of_it = self.certificates(terminal)
        found = [one for one in all_of_it if only in {None, one.id}]
        if not found:
            raise RegistryError(
                f"{terminal} has no certificate{f' {only}' if only else ''}: 'list' shows those that there are."
            )
        handed_over = [one for one in all_of_it if one.status not in _ATTEMPTED]
        if handed_over and all(one in found for one in handed_over):
            noted = {"attributes": {_SHUT_OUT: today.isoformat()}, "merge": True}
            self.iot.update_thing(thingName=terminal, attributePayload=noted)
        for certificate in found:
            self.iot.update_certificate(certificateId=certificate.id, newStatus="REVOKED")
            self.iot.detach_policy(policyName=self.name, target=certificate.arn)
            self.iot.detach_thing_principal(thingName=terminal, principal=certificate.arn)
            yield certificate

    def _look(self) -> None:
        try:
            self.iot.describe_thing_group(thingGroupName=self.name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            raise RegistryError(
                f"{self.environment} takes no terminals here: deploy it with the flag iot, and look at the account and the region."
            ) from error

    def _refuse_shut_out(self, terminal: str) -> None:
        try:
            attributes = self.iot.describe_thing(thingName=terminal).get("attributes", {})
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            return
        if _SHUT_OUT in attributes:
            raise RegistryError(
                f"{terminal} was shut out on {attributes[_SHUT_OUT]}: register another label, since numbers that this one has used "
                "are never taken again."
            )

    def _issue(self, terminal: str, request: str) -> Issued:
        """Without a right until it is activated. Killed before, it leaves a certificate that nothing accepts: once attached to the
        terminal, `_drop_attempts` takes it away; one that was made and not attached yet stays in the account.
        """
        made = self.iot.create_certificate_from_csr(certificateSigningRequest=request, setAsActive=False)
        self.iot.attach_thing_principal(
            thingName=terminal, principal=made["certificateArn"], thingPrincipalType="EXCLUSIVE_THING"
        )
        self.iot.attach_policy(policyName=self.name, target=made["certificateArn"])
        endpoint = self.iot.describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"]
        return Issued(
            id=made["certificateId"],
            pem=made["certificatePem"],
            endpoint=endpoint,
            client_id=terminal,
            topics={kind: f"amply-{self.environment}/terminals/{terminal}/{kind}" for kind in KINDS},
        )

    def _drop_attempts(self, terminal: str) -> None:
        """Certificates that were made and never handed over."""
        for attempt in self.certificates(terminal):
            if attempt.status in _ATTEMPTED:
                self.iot.detach_policy(policyName=self.name, target=attempt.arn)
                self.iot.detach_thing_principal(thingName=terminal, principal=attempt.arn)
                self.iot.delete_certificate(certificateId=attempt.id)

    def _described(self, arn: str) -> Certificate:
        found = self.iot.describe_certificate(certificateId=arn.rpartition("/")[2])["certificateDescription"]
        return Certificate(id=found["certificateId"], arn=arn, status=found["status"])
