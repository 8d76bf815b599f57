"""Who makes envelope keys and opens them again."""

from typing import Protocol

from amply.kernel.errors import AmplyError


class KeyWrappingAway(AmplyError):
    """The key service did not answer, or refused."""

    code = "key_wrapping_away"


class KeyWrapping(Protocol):
    """A key service. Called outside transactions alone; retries by itself, a few times."""

    def generate(self, *, scope: str, version: int) -> tuple[bytes, bytes]:
        """32 fresh bytes, and the same bytes wrapped for this scope and version.

        Raises:
            KeyWrappingAway: As it says.
        """

    def unwrap(self, wrapped: bytes, *, scope: str, version: int) -> bytes:
        """The 32 bytes that were wrapped for this scope and version, and for no other.

        Raises:
            KeyWrappingAway: As it says.
        """
