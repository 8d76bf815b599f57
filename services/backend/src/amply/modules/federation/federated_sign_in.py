"""Sign-in through an organisation's identity provider: who gets in, in which role, and until when.

A role that a provider gives counts for five minutes from its word. Whoever goes on is let on by another word, which the
platform asks the provider for by itself (a refresh token); where it has none, or the provider does not answer, the browser
goes there again. So whatever is taken away there is gone here within five minutes, whatever else goes wrong.
"""

import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import delete, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.modules import audit, people
from amply.modules.access import Role
from amply.modules.audit import Action
from amply.modules.federation.connections import connection_of
from amply.modules.federation.domain import HOLDS_FOR, TRIED_EVERY, role_by
from amply.modules.federation.models import GrantRow
from amply.modules.federation.ports import Directory

_ARRIVE: Final = text("SELECT arrive_by_provider(:organization_id, :role, :now, :until)")
_LEAVE: Final = text("SELECT leave_by_provider(:organization_id)")
_ROLES: Final = text("SELECT default_role, group_roles FROM roles_by_provider(:organization_id)")
_FORGET: Final = text("SELECT forget_listed()")
_REQUIRED: Final = text("SELECT own_required_domains()")

_LOOKED_EVERY_SECONDS: Final = 0.05
_LOOKS_MAX: Final = 160
"""Twice the maximum duration of an exchange with a provider, since keys may be fetched first."""

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class FederatedSignIn:
    """Grants and renews roles for people who sign in through their organisation's provider.

    Implements `access.RoleRenewal`.
    """

    database: Database
    key: people.PeopleKey = field(repr=False)
    client: people.ProviderClient
    directory: Directory | None = None

    def arrived(
        self, session: Session, provider: people.Provider, person_id: str, proof: people.Proof, now: datetime
    ) -> None:
        """Grant a membership by the provider's groups. Does nothing for the platform's own providers.

        Raises:
            NoRoleHere: They are in no group that is anything here. What they were by the word before runs out.
        """
        if provider.domains is None:
            return
        role = self._role(session, provider.key, person_id, proof)
        if role is None:
            raise people.NoRoleHere(
                "Ask whoever runs your organisation's sign-in to put you into a group that has a role here."
            )
        _arrive(session, provider.key, person_id, role, now=now)
        digest = self.key.identity_of(provider=provider.key, issuer=provider.issuer, subject=proof.subject)
        values = {
            "digest": digest,
            "sealed_refresh": self._sealed(provider.key, person_id, proof),
            "tried_at": now,
        }
        session.execute(
            insert(GrantRow)
            .values(organization_id=provider.key, person_id=person_id, **values)
            .on_conflict_do_update(index_elements=[GrantRow.organization_id, GrantRow.person_id], set_=values)
        )

    def renew(self, *, organization_id: str, person_id: str, now: datetime) -> None:
        """Renew a member's role by asking the provider again, if possible. Never called in a transaction.

        Of several requests at once, one asks and the others wait for it. A provider that does not answer changes nothing: the word before runs out.
        """
        grant = self._claimed(organization_id, person_id, now=now)
        if grant is None:
            self._wait(organization_id, person_id)
        elif grant.sealed_refresh is not None:
            try:
                self._ask(grant, grant.sealed_refresh, now=now)
            finally:
                self._asked(organization_id, person_id)

    def _ask(self, grant: GrantRow, sealed: bytes, *, now: datetime) -> None:
        organization_id, person_id = grant.organization_id, grant.person_id
        refresh = self.key.unseal(sealed, of=_bound_to(organization_id, person_id))
        provider = connection_of(self.database, self.key, organization_id)
        try:
            proof = None if provider is None else self._word(provider, grant, refresh, now=now)
        except people.ProviderForgot:
            proof = None
        except (people.ProviderAway, people.ProviderRefused) as error:
            # This says nothing about the person: the current role expires by itself.
            _log.warning("role_not_renewed", organization_id=organization_id, error=error.code)
            return
        if provider is None or proof is None:
            self._leave(organization_id, person_id, now=now)
        else:
            self._go_on(provider, person_id, proof, refresh, now=now)

    def _wait(self, organization_id: str, person_id: str) -> None:
        """While another request asks, as long as that may take; one that was killed meanwhile is not waited for longer."""
        for _ in range(_LOOKS_MAX):
            with self.database.transaction(organization_id=organization_id, person_id=person_id) as session:
                grant = session.get(GrantRow, (organization_id, person_id))
            if grant is None or not grant.is_asking:
                return
            time.sleep(_LOOKED_EVERY_SECONDS)

    def _asked(self, organization_id: str, person_id: str) -> None:
        with self.database.transaction(organization_id=organization_id, person_id=person_id) as session:
            session.execute(
                update(GrantRow)
                .where(GrantRow.organization_id == organization_id, GrantRow.person_id == person_id)
                .values(is_asking=False)
            )

    def _word(
        self, provider: people.Provider, grant: GrantRow, refresh: str, *, now: datetime
    ) -> people.Proof:
        proof = self.client.renew(provider, refresh_token=refresh, now=now)
        digest = self.key.identity_of(provider=provider.key, issuer=provider.issuer, subject=proof.subject)
        if digest != bytes(grant.digest):
            raise people.ProviderRefused("The provider speaks of somebody else.")
        return proof

    def _go_on(
        self, provider: people.Provider, person_id: str, proof: people.Proof, refresh: str, *, now: datetime
    ) -> None:
        with self.database.transaction(organization_id=provider.key, person_id=person_id) as session:
            role = self._role(session, provider.key, person_id, proof)
            if role is not None:
                _arrive(session, provider.key, person_id, role, now=now)
                if proof.refresh_token not in (None, refresh):
                    session.execute(
                        update(GrantRow)
                        .where(GrantRow.organization_id == provider.key, GrantRow.person_id == person_id)
                        .values(sealed_refresh=self._sealed(provider.key, person_id, proof))
                    )
        if role is None:
            self._leave(provider.key, person_id, now=now)

    def _role(
        self, session: Session, organization_id: str, person_id: str, proof: people.Proof
    ) -> Role | None:
        """By the directory where there is one, or else by what the token says of groups."""
        row = session.execute(_ROLES, {"organization_id": organization_id}).one_or_none()
        person = people.find(session, person_id=person_id, key=self.key)
        if row is None or person is None:
            return None
        groups = proof.groups
        if self.directory is not None:
            listed = self.directory.listed(
                session, organization_id=organization_id, person_id=person_id, address=person.address
            )
            if listed is not None and not listed.is_active:
                return None
            groups = groups if listed is None else listed.groups
        return role_by(row.default_role, row.group_roles, groups)

    def _claimed(self, organization_id: str, person_id: str, *, now: datetime) -> GrantRow | None:
        with self.database.transaction(organization_id=organization_id, person_id=person_id) as session:
            return session.scalars(
                update(GrantRow)
                .where(
                    GrantRow.organization_id == organization_id,
                    GrantRow.person_id == person_id,
                    GrantRow.tried_at <= now - TRIED_EVERY,
                )
                .values(tried_at=now, is_asking=GrantRow.sealed_refresh.is_not(None))
                .returning(GrantRow)
            ).one_or_none()

    def _leave(self, organization_id: str, person_id: str, *, now: datetime) -> None:
        with self.database.transaction(organization_id=organization_id, person_id=person_id) as session:
            if session.scalar(_LEAVE, {"organization_id": organization_id}):
                _record(session, Action.MEMBER_LEFT_BY_PROVIDER, organization_id, person_id, now=now)

    def _sealed(self, organization_id: str, person_id: str, proof: people.Proof) -> bytes | None:
        if proof.refresh_token is None:
            return None
        return self.key.seal(proof.refresh_token, of=_bound_to(organization_id, person_id))


def forget(session: Session, *, person_id: str) -> None:
    """Delete provider and directory data about a person who is being erased. Bound to them."""
    session.execute(delete(GrantRow).where(GrantRow.person_id == person_id))
    session.execute(_FORGET)


def require_provider(key: people.PeopleKey, session: Session, person_id: str, now: datetime) -> None:
    """Refuse other sign-ins for addresses of organisations that require their own provider.

    The unit of work is bound to them. An owner stays who gets in whatever happens to the provider.

    Raises:
        SignInElsewhere: They have to come by its provider.
    """
    del now
    required = set(session.scalars(_REQUIRED))
    person = people.find(session, person_id=person_id, key=key) if required else None
    if person is not None and person.address.folded.rpartition("@")[2] in required:
        raise people.SignInElsewhere(
            "Sign in by your organisation: type your address and choose its own sign-in."
        )


def _arrive(session: Session, organization_id: str, person_id: str, role: Role, *, now: datetime) -> None:
    values = {"organization_id": organization_id, "role": role, "now": now, "until": now + HOLDS_FOR}
    before = session.scalar(_ARRIVE, values)
    if before == "nobody":
        _record(session, Action.MEMBER_JOINED, organization_id, person_id, now=now, reason=role)
    elif before not in (role, Role.OWNER):
        _record(session, Action.MEMBER_ROLE_CHANGED, organization_id, person_id, now=now, reason=role)


def _record(
    session: Session,
    action: Action,
    organization_id: str,
    person_id: str,
    *,
    now: datetime,
    reason: str | None = None,
) -> None:
    deed = audit.AuditedAction(
        actor=audit.Actor(kind=audit.ActorKind.SYSTEM, id="sign-in"),
        action=action,
        targets=(person_id,),
        organization_id=organization_id,
        reason=reason,
    )
    audit.record(session, deed, now=now)


def _bound_to(organization_id: str, person_id: str) -> str:
    return f"sign-in-grant\0{organization_id}\0{person_id}"


SEALED: Final = people.SealedColumn(column=GrantRow.sealed_refresh, of=_bound_to)
