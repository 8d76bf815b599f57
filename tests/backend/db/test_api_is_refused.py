"""What strangers who had the API's database role would be refused: books, secrets and accounts."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from tests.backend.conftest import Databases


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO entry (id) VALUES ('ent_x')",
        "SELECT commitments FROM entry",
        "INSERT INTO transfer (entry_id) VALUES ('ent_x')",
        "INSERT INTO opening VALUES ('ent_x', '')",
        "SELECT * FROM opening",
        "SELECT * FROM audit_link",
        "SELECT * FROM audit_seal",
        "INSERT INTO audit_link VALUES (1, 'aud_x', sha256('x'))",
        "DELETE FROM opening",
        "SELECT payload FROM outbox",
        "DELETE FROM donation",
        "SELECT honouree FROM dedication",
        "INSERT INTO member (organization_id) VALUES ('org_x')",
        "UPDATE organization SET slug = 'mine'",
        "SELECT digest FROM api_key",
        "UPDATE data_key SET wrapped = NULL",
        "DELETE FROM data_key",
        "UPDATE data_key SET tree = NULL",
        "INSERT INTO closed_leaf (scope) VALUES ('donors')",
        "UPDATE sealing SET begins_at = now()",
        "UPDATE api_key SET scopes = '{donations:read}'",
        "INSERT INTO organization (id) VALUES ('org_x')",
        "UPDATE processor_account SET status = 'active'",
        "SELECT email FROM onboarding_invitation",
        "SELECT email FROM organization_contact",
        "SELECT reason FROM form_closing",
        "INSERT INTO former_account (account_id) VALUES ('acct_x')",
        "SELECT bank_reference FROM payout",
        "SELECT booked_as FROM movement",
        "UPDATE payout SET status = 'paid'",
        "SELECT email FROM donor_link_request",
        "SELECT sealed_address FROM person_letter",
        "DELETE FROM person",
        "SELECT document FROM issued_receipt",
        "SELECT gift_aid FROM receipt_facts",
        "SELECT sealed FROM receipt_facts",
        "SELECT sealed FROM dedication",
        "SELECT sealed FROM issued_receipt",
        "SELECT sealed FROM organization_contact",
        "SELECT reference FROM offline_gift",
        "UPDATE donor_document SET state = 'failed'",
        "UPDATE receipt SET sent_at = NULL",
        "UPDATE sharing_consent SET way = 'own_page'",
        "UPDATE sharing_span SET donor_sha256 = NULL",
        "SELECT number FROM sharing_fact",
        "SELECT resend_receipt('don_x', now())",
        "DELETE FROM plan",
        "UPDATE provider_event SET handled_at = now()",
    ],
)
def test_the_api_cannot_touch_books_secrets_or_accounts(statement: str, databases: Databases) -> None:
    api = databases.as_role("amply_api")
    with pytest.raises(ProgrammingError, match="permission denied"), api.transaction() as session:
        session.execute(text(statement))
    api.close()
