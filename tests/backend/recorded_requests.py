"""What changes something over HTTP, a request for each route; `committed/test_recorded_routes.py` looks at what it leaves behind."""

from collections.abc import Callable, Mapping
from typing import Final

from amply.modules import exports
from tests.backend.application_world import BEGUN, COMPLETE, PDF
from tests.backend.caller_matrix import OWN
from tests.backend.image_world import ALT, picture
from tests.backend.intake_world import add_dataset, ask_beside, dataset_body, hand_in, read_all, upload
from tests.backend.member_world import House
from tests.backend.recorded_request import Request, etag_of
from tests.backend.recorded_webhook_requests import WEBHOOK_REQUESTS


def fund(house: House) -> str:
    made = house.ask("POST", "/funds", by="usr_owner", json={"name": "Roof", "kind": "project"})
    return str(made.json()["id"])


def invitation(house: House) -> str:
    made = house.ask(
        "POST", "/invitations", by="usr_owner", json={"email": "new@x.example", "role": "viewer"}
    )
    return str(made.json()["id"])


def _offer(house: House) -> None:
    assert house.ask("POST", "/ownership-offer", by="usr_owner", json={"person_id": "usr_admin"}).is_success


def _changed(house: House) -> Request:
    return Request("", body={"name": "River Trust of the Vale"}, headers=etag_of(house, ""))


def _receipts_said(house: House) -> Request:
    path = "/receipt-settings"
    return Request(path, body={"signatory": "Grace Hopper"}, headers=etag_of(house, path))


def _fund_made(_house: House) -> Request:
    return Request("/funds", body={"name": "Roof", "kind": "project"})


def _fund_renamed(house: House) -> Request:
    fund_id = fund(house)
    return Request(f"/funds/{fund_id}", body={"name": "Whole roof"}, target=fund_id)


def _fund_closed(house: House) -> Request:
    fund_id = fund(house)
    return Request(f"/funds/{fund_id}/close", target=fund_id)


def _role(house: House) -> Request:
    path = "/members/usr_viewer"
    return Request(path, body={"role": "finance"}, target="usr_viewer", headers=etag_of(house, path))


def _removed(_house: House) -> Request:
    return Request("/members/usr_viewer", target="usr_viewer")


def _left(_house: House) -> Request:
    return Request("/membership", by="usr_viewer")


def _invited(_house: House) -> Request:
    return Request("/invitations", body={"email": "new@x.example", "role": "viewer"})


def _withdrawn(house: House) -> Request:
    invitation_id = invitation(house)
    return Request(f"/invitations/{invitation_id}", target=invitation_id)


def _offered(_house: House) -> Request:
    return Request("/ownership-offer", body={"person_id": "usr_admin"}, target="usr_admin")


def _offer_withdrawn(house: House) -> Request:
    _offer(house)
    return Request("/ownership-offer", target="usr_admin")


def _accepted(house: House) -> Request:
    _offer(house)
    return Request("/ownership-offer/accept", by="usr_admin", target="usr_owner")


def _key_made(_house: House) -> Request:
    return Request("/keys", body={"name": "site", "scopes": ["donations:read"]})


def _key_revoked(house: House) -> Request:
    key_id, _ = house.key("donations:read")
    return Request(f"/keys/{key_id}", target=key_id)


SIGN_IN: Final = {"issuer": "https://id.river.example", "client_id": "amply", "client_secret": "s"}


def _sign_in(_house: House) -> Request:
    return Request("/sign-in", body=SIGN_IN)


def _sign_in_removed(house: House) -> Request:
    assert house.ask("POST", "/sign-in", by="usr_owner", json=SIGN_IN).is_success
    return Request("/sign-in")


def _directory_token(_house: House) -> Request:
    return Request("/directory-tokens")


def _directory_token_revoked(house: House) -> Request:
    made = house.ask("POST", "/directory-tokens", by="usr_owner").json()
    return Request(f"/directory-tokens/{made['id']}", target=made["id"])


def _domain_claimed(_house: House) -> Request:
    return Request("/sign-in/domains", body={"domain": "river.example"}, target="river.example")


def _domain(house: House) -> None:
    claimed = house.ask("POST", "/sign-in/domains", by="usr_owner", json={"domain": "river.example"}).json()
    house.records.found[claimed["record_name"]] = [claimed["record_text"]]


def _domain_shown(house: House) -> Request:
    _domain(house)
    return Request("/sign-in/domains/river.example/check", target="river.example")


def _domain_removed(house: House) -> Request:
    _domain(house)
    return Request("/sign-in/domains/river.example", target="river.example")


def _joined(house: House) -> Request:
    invitation_id = invitation(house)
    house.send()
    house.people.addresses["usr_new"] = "new@x.example"
    return Request("/v1/me/organisations", by="usr_new", body={"token": house.token()}, target=invitation_id)


def _tried(house: House) -> Request:
    house.people.addresses["usr_owner"] = "owner@x.example"
    return Request("/v1/me/test-organisations", body={"name": "Relief of Ada"}, makes_another=True)


def _begun(house: House) -> Request:
    house.people.addresses["usr_owner"] = "owner@example.org"
    return Request("/v1/me/applications", body=BEGUN)


def _applying(house: House) -> None:
    """The owner's second organisation, which has still to be verified, is the house from now on."""
    begun = _begun(house)
    made = house.ask("POST", begun.path, by="usr_owner", json=begun.body)
    house.organization_id = made.json()["organization_id"]


def _said(house: House) -> Request:
    _applying(house)
    return Request("/application", body={"purpose": "Rivers"}, headers=etag_of(house, "/application"))


def _document(house: House) -> str:
    body = {"kind": "registration", "media_type": "application/pdf"}
    made = house.ask("POST", "/application/documents", by="usr_owner", json=body).json()
    house.shelf.kept[made["fields"]["key"]] = PDF
    return str(made["id"])


def _document_added(house: House) -> Request:
    _applying(house)
    return Request("/application/documents", body={"kind": "bank", "media_type": "image/png"})


def _document_received(house: House) -> Request:
    _applying(house)
    document_id = _document(house)
    return Request(f"/application/documents/{document_id}/received", target=document_id)


def _document_read(house: House) -> Request:
    received = _document_received(house)
    assert house.ask("POST", received.path, by="usr_owner").is_success
    return Request(f"/application/documents/{received.target}/link", target=received.target)


def _document_removed(house: House) -> Request:
    received = _document_received(house)
    return Request(f"/application/documents/{received.target}", target=received.target)


LOGO: Final = {"kind": "logo", "media_type": "image/png", "alt": ALT}


def _image_added(_house: House) -> Request:
    return Request("/images", body=LOGO)


def _image_received(house: House) -> Request:
    made = house.ask("POST", "/images", by="usr_owner", json=LOGO).json()
    house.shelf.kept[made["fields"]["key"]] = picture()
    return Request(f"/images/{made['id']}/received", target=made["id"])


def _image_removed(house: House) -> Request:
    received = _image_received(house)
    return Request(f"/images/{received.target}", target=received.target)


def _image_described(house: House) -> Request:
    path = _image_removed(house).path
    headers = etag_of(house, path)
    return Request(path, body={"alt": ALT}, target=path.split("/")[-1], headers=headers)


def _handed_in(house: House) -> Request:
    received = _document_received(house)
    assert house.ask("POST", received.path, by="usr_owner").is_success
    etag = etag_of(house, "/application")
    assert house.ask("PATCH", "/application", by="usr_owner", json=COMPLETE, headers=etag).is_success
    return Request("/application/submit")


PROJECT: Final = {"name": "Roof", "goal": {"minor_units": "900000", "currency": "EUR"}}


def _project_made(_house: House) -> Request:
    return Request("/projects", body=PROJECT)


def _project_changed(house: House) -> Request:
    made = house.ask("POST", "/projects", by="usr_owner", json=PROJECT)
    return Request(
        f"/projects/{made.json()['id']}",
        body={"state": "active"},
        target=made.json()["id"],
        headers={"If-Match": made.headers["ETag"]},
    )


def _export_asked(_house: House) -> Request:
    return Request("/exports", body={"kind": "gifts"})


def _export_fetched(house: House) -> Request:
    export_id = house.ask("POST", "/exports", by="usr_owner", json={"kind": "gifts"}).json()["id"]
    making = exports.ExportJobs(database=house.database, store=house.exports)
    assert exports.make_exports(making, now=house.clock()) == 1
    return Request(f"/exports/{export_id}/links", target=export_id)


def _refund_asked(house: House) -> Request:
    gift = {
        "organization_id": house.organization_id,
        "amount": {"minor_units": "2500", "currency": "EUR"},
        "donor": {"name": "Ada", "email": "ada@example.org"},
    }
    given = house.client.post("/v1/donations", json=gift, headers={"Idempotency-Key": "gift-1"})
    house.arrive()
    return Request(
        f"/gifts/{given.json()['id']}/refunds",
        body={"reason": "duplicate"},
        headers={"Idempotency-Key": "refund-1"},
    )


def _source_added(_house: House) -> Request:
    return Request("/v1/sources", body={"title": "Till"})


def _dataset_added(house: House) -> Request:
    return Request("/v1/datasets", body=dataset_body(house))


def _dataset_changed(house: House) -> Request:
    made = add_dataset(house)
    shown = ask_beside(house, "GET", f"/v1/datasets/{made}")
    return Request(
        f"/v1/datasets/{made}",
        body={"state": "closed"},
        target=made,
        headers={"If-Match": shown.headers["ETag"]},
    )


def _file_begun(house: House) -> Request:
    return Request(
        "/v1/ingest/init", body={"dataset_id": add_dataset(house)}, headers={"Idempotency-Key": "file-1"}
    )


def _file_submitted(house: House) -> Request:
    job_id = upload(house, add_dataset(house), b"{}")
    return Request("/v1/ingest/submit", body={"job_id": job_id}, target=job_id)


def _quarantine_read(house: House) -> Request:
    job_id = hand_in(house, add_dataset(house), "{}\n")
    assert read_all(house) == 1
    return Request(f"/v1/jobs/{job_id}/links", target=job_id)


REQUESTS: Final[Mapping[str, Callable[[House], Request]]] = {
    f"PATCH {OWN}": _changed,
    f"PATCH {OWN}/receipt-settings": _receipts_said,
    f"POST {OWN}/funds": _fund_made,
    f"PATCH {OWN}/funds/{{fund_id}}": _fund_renamed,
    f"POST {OWN}/funds/{{fund_id}}/close": _fund_closed,
    f"POST {OWN}/projects": _project_made,
    f"PATCH {OWN}/projects/{{project_id}}": _project_changed,
    f"POST {OWN}/images": _image_added,
    f"POST {OWN}/images/{{image_id}}/received": _image_received,
    f"PATCH {OWN}/images/{{image_id}}": _image_described,
    f"DELETE {OWN}/images/{{image_id}}": _image_removed,
    f"PATCH {OWN}/application": _said,
    f"POST {OWN}/application/submit": _handed_in,
    f"POST {OWN}/application/documents": _document_added,
    f"DELETE {OWN}/application/documents/{{document_id}}": _document_removed,
    f"POST {OWN}/application/documents/{{document_id}}/received": _document_received,
    f"POST {OWN}/application/documents/{{document_id}}/link": _document_read,
    f"PATCH {OWN}/members/{{person_id}}": _role,
    f"DELETE {OWN}/members/{{person_id}}": _removed,
    f"DELETE {OWN}/membership": _left,
    f"POST {OWN}/invitations": _invited,
    f"DELETE {OWN}/invitations/{{invitation_id}}": _withdrawn,
    f"POST {OWN}/ownership-offer": _offered,
    f"DELETE {OWN}/ownership-offer": _offer_withdrawn,
    f"POST {OWN}/ownership-offer/accept": _accepted,
    f"POST {OWN}/keys": _key_made,
    f"DELETE {OWN}/keys/{{key_id}}": _key_revoked,
    **WEBHOOK_REQUESTS,
    f"POST {OWN}/directory-tokens": _directory_token,
    f"DELETE {OWN}/directory-tokens/{{token_id}}": _directory_token_revoked,
    f"POST {OWN}/sign-in": _sign_in,
    f"DELETE {OWN}/sign-in": _sign_in_removed,
    f"POST {OWN}/sign-in/domains": _domain_claimed,
    f"POST {OWN}/sign-in/domains/{{domain}}/check": _domain_shown,
    f"DELETE {OWN}/sign-in/domains/{{domain}}": _domain_removed,
    f"POST {OWN}/gifts/{{donation_id}}/refunds": _refund_asked,
    f"POST {OWN}/exports": _export_asked,
    f"POST {OWN}/exports/{{export_id}}/links": _export_fetched,
    "POST /v1/sources": _source_added,
    "POST /v1/datasets": _dataset_added,
    "PATCH /v1/datasets/{dataset_id}": _dataset_changed,
    "POST /v1/ingest/init": _file_begun,
    "POST /v1/ingest/submit": _file_submitted,
    "POST /v1/jobs/{job_id}/links": _quarantine_read,
    "POST /v1/me/organisations": _joined,
    "POST /v1/me/test-organisations": _tried,
    "POST /v1/me/applications": _begun,
}
"""One request for each route, and what has to be there before it."""
