"""Authenticates people by their session cookie."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from amply.modules.access import PersonCaller, SessionNotValid
from amply.modules.people import persons
from amply.modules.people.dependencies import Dependencies
from amply.modules.people.domain import SESSION_SEEN_EVERY, SignInSession
from amply.modules.people.session_binding import binding_of

_SIGN_IN = "Sign in again: the session is over."


@dataclass(frozen=True)
class SessionCallers:
    """Implements `access.CallerSource` by sessions. May not be called inside a transaction."""

    parts: Dependencies

    def caller_of(
        self, *, headers: Mapping[str, str], cookies: Mapping[str, str], address: str, now: datetime
    ) -> PersonCaller | None:
        """The signed-in person; None without a session cookie.

        Raises:
            SessionNotValid: The session is over, was ended, or is used from a place it is not bound to.
            SignInUnavailable: Sessions cannot be looked up; nobody is let in on trust.
        """
        del headers  # a session is in a cookie alone: what stands in a header could be put there by a page
        token = cookies.get(self.parts.site.session_cookie)
        if token is None:
            return None
        session = self.parts.sessions.find(token)
        if session is None or session.is_over(now) or not self._holds(session, address=address):
            raise SessionNotValid(_SIGN_IN)
        if now - session.seen_at > SESSION_SEEN_EVERY:
            self.parts.sessions.touch(token, session, now=now)
        return PersonCaller(
            person_id=session.person_id,
            session_id=session.id,
            signed_in_at=session.signed_in_at,
            confirmed_at=session.confirmed_at,
            through=session.through,
        )

    def _holds(self, session: SignInSession, *, address: str) -> bool:
        """Whether nothing has ended it since: it is where it belongs, and its stamp is the person's."""
        if session.place != binding_of(self.parts.key, session.binding, address):
            return False
        return session.stamp == self._stamp(session.person_id)

    def _stamp(self, person_id: str) -> int | None:
        remembered = self.parts.sessions.stamp_of(person_id)
        if remembered is not None:
            return remembered
        with self.parts.database.transaction() as session:
            stamp = persons.stamp_of(session, person_id=person_id)
        if stamp is not None:
            self.parts.sessions.remember_stamp(person_id, stamp)
        return stamp
