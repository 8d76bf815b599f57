"""The four rotation steps, each idempotent."""

import secrets
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from amply_rotation.errors import PasswordUnknown, RotationRefused
from amply_rotation.server import Server
from amply_rotation.versions import CURRENT, PENDING, PREVIOUS, Credentials, Secret

_LETTERS: Final = string.ascii_letters + string.digits
_LENGTH: Final = 48
"""Of 62 letters: 285 bits. RDS takes up to 128 characters, and none of these needs quoting anywhere."""


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """One rotation of one secret: `token` names the version that is to become the current one."""

    secret: Secret
    server: Server
    token: str

    def run(self, step: str) -> None:
        """Do one step.

        Raises:
            RotationRefused: There is no such step, or the secret does not await this version.
            PasswordUnknown: The database accepts neither the pending, the current nor the previous password.
        """
        steps: Mapping[str, Callable[[], None]] = {
            "createSecret": self._create,
            "setSecret": self._set,
            "testSecret": self._test,
            "finishSecret": self._finish,
        }
        if step not in steps:
            raise RotationRefused(f"{step!r} is no step of a rotation.")
        stages = self.secret.stages()
        if self.token not in stages:
            raise RotationRefused(f"The secret has no version {self.token}.")
        if CURRENT in stages[self.token]:
            return
        if PENDING not in stages[self.token]:
            raise RotationRefused(f"Version {self.token} is not the pending one.")
        steps[step]()

    def _create(self) -> None:
        if self._find_pending() is None:
            password = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
            self.secret.put_pending(self.token, self._current().with_password(password))

    def _set(self) -> None:
        pending, current = self._pending(), self._current()
        if pending.username != current.username:
            raise RotationRefused("The pending version is for another user than the current one.")
        if self.server.accepts(pending):
            return
        for known in (current, self.secret.read(PREVIOUS)):
            if known and known.username == pending.username and self.server.accepts(known):
                self.server.set_password(pending, signed_in=known)
                return
        raise PasswordUnknown(
            f"{pending.username} can sign in with no password of the secret; give it a new one through RDS."
        )

    def _test(self) -> None:
        if not self.server.accepts(self._pending()):
            raise PasswordUnknown("The database does not accept the pending password.")

    def _finish(self) -> None:
        stages = self.secret.stages()
        before = next((version for version, held in stages.items() if CURRENT in held), None)
        self.secret.make_current(self.token, instead_of=before)

    def _current(self) -> Credentials:
        if (current := self.secret.read(CURRENT)) is None:
            raise RotationRefused("The secret has no current version.")
        return current

    def _pending(self) -> Credentials:
        if (pending := self._find_pending()) is None:
            raise RotationRefused(f"Version {self.token} holds nothing yet: createSecret comes first.")
        return pending

    def _find_pending(self) -> Credentials | None:
        return self.secret.read(PENDING, version=self.token)
