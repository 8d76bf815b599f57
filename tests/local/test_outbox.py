"""The outbox page over messages as the emulated SES keeps them."""

import json
from email.message import EmailMessage
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from local_cloud.outbox import app

ID = "20261121T075000000000-0100abc"


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    message = EmailMessage()
    message["Subject"] = "Danke <b>schön</b>"
    message["From"], message["To"] = "receipts@example.org", "ada@example.org"
    message.set_content("Thank you, Ada.")
    message.add_alternative("<script>steal()</script><p>Thank you</p>", subtype="html")
    message.add_attachment(b"proof\n", maintype="text", subtype="plain", filename="don_1.tlog-proof")
    (tmp_path / f"{ID}.eml").write_bytes(message.as_bytes())
    envelope = {
        "message_id": "0100abc@email.amazonses.com",
        "accepted_at": "2026-11-21T07:50:00.000+00:00",
        "from": "receipts@example.org",
        "to": ["ada@example.org"],
        "configuration_set": "",
    }
    (tmp_path / f"{ID}.json").write_text(json.dumps(envelope))
    monkeypatch.setenv("AMPLY_OUTBOX_MAIL", str(tmp_path))
    return TestClient(app(), base_url="http://127.0.0.1")


def test_the_list_names_every_message_with_its_attachments(client: TestClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert "Danke &lt;b&gt;schön&lt;/b&gt;" in page.text
    assert "don_1.tlog-proof" in page.text


def test_programs_get_the_same_list_as_json(client: TestClient) -> None:
    assert client.get("/messages.json").json() == [
        {
            "id": ID,
            "accepted_at": "2026-11-21T07:50:00+00:00",
            "from": "receipts@example.org",
            "to": ["ada@example.org"],
            "subject": "Danke <b>schön</b>",
            "attachments": ["don_1.tlog-proof"],
        }
    ]


def test_a_message_shows_its_text_and_frames_its_html_in_a_sandbox(client: TestClient) -> None:
    page = client.get(f"/messages/{ID}").text
    assert "Thank you, Ada." in page
    assert "<iframe sandbox " in page
    assert "steal()" not in page


def test_the_html_of_a_message_can_run_and_load_nothing(client: TestClient) -> None:
    answer = client.get(f"/messages/{ID}/html")
    assert "steal()" in answer.text
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")


def test_an_attachment_is_only_ever_saved(client: TestClient) -> None:
    answer = client.get(f"/messages/{ID}/attachments/0")
    assert answer.content == b"proof\n"
    assert answer.headers["content-disposition"] == 'attachment; filename="don_1.tlog-proof"'
    assert answer.headers["content-type"] == "application/octet-stream"
    assert client.get(f"/messages/{ID}/attachments/1").status_code == 404


def test_the_original_can_be_saved(client: TestClient, tmp_path: Path) -> None:
    assert client.get(f"/messages/{ID}/raw.eml").content == (tmp_path / f"{ID}.eml").read_bytes()


@pytest.mark.parametrize("unknown", ["nobody", "..%2F..%2Fetc%2Fpasswd", "*"])
def test_an_unknown_message_is_not_found(client: TestClient, unknown: str) -> None:
    assert client.get(f"/messages/{unknown}").status_code == 404


def test_another_hosts_name_is_refused(client: TestClient) -> None:
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400
