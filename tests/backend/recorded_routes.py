"""What is recorded over HTTP, route by route. Written by hand, so that it says what is meant and not what is."""

from collections.abc import Mapping
from typing import Final

from amply.modules.audit import Action
from tests.backend.caller_matrix import OWN

RECORDED: Final[Mapping[str, Action]] = {
    f"PATCH {OWN}": Action.ORGANIZATION_CHANGED,
    f"PATCH {OWN}/receipt-settings": Action.RECEIPT_SETTINGS_CHANGED,
    f"POST {OWN}/funds": Action.FUND_CREATED,
    f"PATCH {OWN}/funds/{{fund_id}}": Action.FUND_RENAMED,
    f"POST {OWN}/funds/{{fund_id}}/close": Action.FUND_CLOSED,
    f"POST {OWN}/projects": Action.PROJECT_CREATED,
    f"PATCH {OWN}/projects/{{project_id}}": Action.PROJECT_CHANGED,
    f"POST {OWN}/gifts/{{donation_id}}/refunds": Action.DONATION_REFUND_ASKED,
    f"POST {OWN}/images": Action.IMAGE_ADDED,
    f"POST {OWN}/images/{{image_id}}/received": Action.IMAGE_RECEIVED,
    f"PATCH {OWN}/images/{{image_id}}": Action.IMAGE_DESCRIBED,
    f"DELETE {OWN}/images/{{image_id}}": Action.IMAGE_REMOVED,
    f"PATCH {OWN}/application": Action.APPLICATION_CHANGED,
    f"POST {OWN}/application/submit": Action.APPLICATION_SUBMITTED,
    f"POST {OWN}/application/documents": Action.DOCUMENT_ADDED,
    f"DELETE {OWN}/application/documents/{{document_id}}": Action.DOCUMENT_REMOVED,
    f"POST {OWN}/application/documents/{{document_id}}/received": Action.DOCUMENT_RECEIVED,
    f"POST {OWN}/application/documents/{{document_id}}/link": Action.DOCUMENT_READ,
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
    f"POST {OWN}/directory-tokens": Action.DIRECTORY_TOKEN_MADE,
    f"DELETE {OWN}/directory-tokens/{{token_id}}": Action.DIRECTORY_TOKEN_REVOKED,
    f"POST {OWN}/sign-in": Action.SIGN_IN_CHANGED,
    f"DELETE {OWN}/sign-in": Action.SIGN_IN_REMOVED,
    f"POST {OWN}/sign-in/domains": Action.SIGN_IN_DOMAIN_CLAIMED,
    f"POST {OWN}/sign-in/domains/{{domain}}/check": Action.SIGN_IN_DOMAIN_SHOWN,
    f"DELETE {OWN}/sign-in/domains/{{domain}}": Action.SIGN_IN_DOMAIN_REMOVED,
    f"POST {OWN}/exports": Action.EXPORT_ASKED,
    f"POST {OWN}/exports/{{export_id}}/links": Action.EXPORT_FETCHED,
    "POST /v1/sources": Action.SOURCE_ADDED,
    "POST /v1/datasets": Action.DATASET_ADDED,
    "PATCH /v1/datasets/{dataset_id}": Action.DATASET_CHANGED,
    "POST /v1/ingest/init": Action.FILE_BEGUN,
    "POST /v1/ingest/submit": Action.FILE_SUBMITTED,
    "POST /v1/jobs/{job_id}/links": Action.QUARANTINE_READ,
    "POST /v1/me/organisations": Action.MEMBER_JOINED,
    "POST /v1/me/applications": Action.APPLICATION_BEGUN,
    "POST /v1/me/test-organisations": Action.ORGANIZATION_CREATED,
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
    "POST /v1/auth/outside": None,
    "POST /v1/auth/outside/find": None,
    "POST /v1/auth/outside/finish": Action.PERSON_IDENTITY_LINKED,
    "POST /v1/auth/outside/link": Action.PERSON_IDENTITY_LINKED,
    "POST /v1/auth/identities": None,
    "POST /v1/auth/identities/finish": Action.PERSON_IDENTITY_LINKED,
    "DELETE /v1/auth/identities/{identity_id}": Action.PERSON_IDENTITY_UNLINKED,
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

BY_OTHERS: Final = {
    Action.DIRECTORY_CHANGED,
    Action.MEMBER_INVITATION_DECLINED,
    Action.MEMBER_LEFT_BY_PROVIDER,
    Action.SIGN_IN_DOMAIN_LOST,
}
"""What no person and no key does: a directory over SCIM, a provider, the DNS, and whoever holds an invitation's letter
(`contract/test_scim.py`, `test_federation.py`, `committed/test_invitation_letters.py`)."""
