"""What is recorded over HTTP, route by route. Written by hand, so that it says what is meant and not what is."""

from collections.abc import Mapping
from typing import Final

from amply.modules.audit import Action
from tests.backend.caller_matrix import OWN

RECORDED: Final[Mapping[str, Action]] = {
    f"PATCH {OWN}": Action.ORGANIZATION_CHANGED,
    f"POST {OWN}/funds": Action.FUND_CREATED,
    f"PATCH {OWN}/funds/{{fund_id}}": Action.FUND_RENAMED,
    f"POST {OWN}/funds/{{fund_id}}/close": Action.FUND_CLOSED,
    f"PATCH {OWN}/members/{{person_id}}": Action.MEMBER_ROLE_CHANGED,
    f"DELETE {OWN}/members/{{person_id}}": Action.MEMBER_REMOVED,
    f"DELETE {OWN}/membership": Action.MEMBER_LEFT,
    f"POST {OWN}/invitations": Action.MEMBER_INVITED,
    f"DELETE {OWN}/invitations/{{invitation_id}}": Action.MEMBER_INVITATION_WITHDRAWN,
    f"POST {OWN}/ownership-offer": Action.OWNERSHIP_OFFERED,
    f"DELETE {OWN}/ownership-offer": Action.OWNERSHIP_OFFER_WITHDRAWN,
    f"POST {OWN}/ownership-offer/accept": Action.OWNERSHIP_ACCEPTED,
    f"POST {OWN}/keys": Action.KEY_MADE,
    f"DELETE {OWN}/keys/{{key_id}}": Action.KEY_REVOKED,
    f"POST {OWN}/exports": Action.EXPORT_ASKED,
    f"POST {OWN}/exports/{{export_id}}/links": Action.EXPORT_FETCHED,
    "POST /v1/me/organisations": Action.MEMBER_JOINED,
}
"""Every route of a permission that changes something. Proved by `committed/test_recorded_routes.py`."""

OF_PEOPLE: Final[Mapping[str, Action | None]] = {
    "POST /v1/auth/register": None,
    "POST /v1/auth/verify-email": Action.PERSON_REGISTERED,
    "POST /v1/auth/login": Action.PERSON_TRIED_TOO_OFTEN,
    "POST /v1/auth/login/factor": Action.PERSON_TRIED_TOO_OFTEN,
    "POST /v1/auth/login/passkey/options": None,
    "POST /v1/auth/login/passkey": None,
    "POST /v1/auth/logout": None,
    "POST /v1/auth/logout-all": None,
    "DELETE /v1/auth/me": Action.PERSON_ERASED,
    "DELETE /v1/auth/sessions/{session_id}": None,
    "POST /v1/auth/confirm": Action.PERSON_TRIED_TOO_OFTEN,
    "POST /v1/auth/confirm/passkey/options": None,
    "POST /v1/auth/confirm/passkey": None,
    "POST /v1/auth/request-password-reset": None,
    "POST /v1/auth/reset-password": Action.PERSON_PASSWORD_RESET,
    "POST /v1/auth/password": Action.PERSON_PASSWORD_CHANGED,
    "POST /v1/auth/email": None,
    "POST /v1/auth/confirm-email": Action.PERSON_ADDRESS_CHANGED,
    "POST /v1/auth/security-settings": Action.PERSON_SESSIONS_BOUND,
    "POST /v1/auth/factors/totp": None,
    "POST /v1/auth/factors/totp/confirm": Action.PERSON_FACTORS_CHANGED,
    "DELETE /v1/auth/factors/totp": Action.PERSON_FACTORS_CHANGED,
    "POST /v1/auth/factors/recovery-codes": Action.PERSON_FACTORS_CHANGED,
    "POST /v1/auth/factors/passkeys/options": None,
    "POST /v1/auth/factors/passkeys": Action.PERSON_FACTORS_CHANGED,
    "DELETE /v1/auth/factors/passkeys/{passkey_id}": Action.PERSON_FACTORS_CHANGED,
}
"""Those of one's account. None: nothing has changed when it is answered, or it is one's sessions alone, which are not kept."""
