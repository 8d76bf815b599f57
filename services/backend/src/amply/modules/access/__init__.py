"""Who asks, and what they may do: callers, roles, scopes, and the one table that says who may do what.

Import from here only.
"""

from amply.modules.access.domain import (
    Anonymous,
    AuthenticationRequired,
    Caller,
    ConfirmationRequired,
    CredentialNotValid,
    KeyCaller,
    LastOwner,
    NotAllowed,
    OrganizationHidden,
    PersonCaller,
    RequestFromElsewhere,
    Role,
    Scope,
    SessionNotValid,
    SignInUnavailable,
)
from amply.modules.access.grants import Access, Own, hold_organization
from amply.modules.access.policy import CONFIRMED_WITHIN, POLICY, Permission, Rule
from amply.modules.access.ports import CallerSource, Renewing
from amply.modules.access.revocable import (
    RevocableRow,
    just_made,
    newest_first,
    note_use,
    revoked,
    row_of_secret,
)
from amply.modules.access.uploaded import UploadedRow, look_at_upload, take_up
from amply.modules.access.web import (
    OWN_PROBLEMS,
    PROBLEMS,
    Allowed,
    CallerOf,
    KeyOf,
    SignedIn,
    allowed,
    count,
    limits_of_callers,
    require_own,
    signed_in,
)

__all__ = [
    "CONFIRMED_WITHIN",
    "OWN_PROBLEMS",
    "POLICY",
    "PROBLEMS",
    "Access",
    "Allowed",
    "Anonymous",
    "AuthenticationRequired",
    "Caller",
    "CallerOf",
    "CallerSource",
    "ConfirmationRequired",
    "CredentialNotValid",
    "KeyCaller",
    "KeyOf",
    "LastOwner",
    "NotAllowed",
    "OrganizationHidden",
    "Own",
    "Permission",
    "PersonCaller",
    "Renewing",
    "RequestFromElsewhere",
    "RevocableRow",
    "Role",
    "Rule",
    "Scope",
    "SessionNotValid",
    "SignInUnavailable",
    "SignedIn",
    "UploadedRow",
    "allowed",
    "count",
    "hold_organization",
    "just_made",
    "limits_of_callers",
    "look_at_upload",
    "newest_first",
    "note_use",
    "require_own",
    "revoked",
    "row_of_secret",
    "signed_in",
    "take_up",
]
