"""Errors of a rotation. Messages name versions and users, never a password."""


class RotationError(Exception):
    """Any of them; Secrets Manager tries again, and says so in CloudTrail."""


class RotationRefused(RotationError):
    """The call does not fit the state of the secret, so nothing was done."""


class PasswordUnknown(RotationError):
    """The database accepts none of the passwords that the secret holds."""
