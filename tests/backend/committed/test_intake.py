"""What outside sources hand in: described, uploaded, read once, and told of to those who may see it."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest

from tests.backend.intake_world import (
    COLUMNS,
    ROWS,
    add_dataset,
    ask_beside,
    dataset_body,
    hand_in,
    packed,
    read_all,
    refused_in,
    rows_in,
    shown,
    upload,
)
from tests.backend.member_world import House

GOOD: Final = json.dumps(ROWS[0])
LINES: Final = f"{GOOD}\n{{\n{json.dumps({**ROWS[1], 'age': 999})}\n"


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def submit(house: House, **body: Any) -> Any:
    key = body.pop("key", "submit")
    return ask_beside(
        house, "POST", "/v1/ingest/submit", json=body, headers={"Idempotency-Key": key} if key else {}
    )


def accepted(house: House) -> dict[str, bytes]:
    return {path: body for path, body in house.intake.files.items() if path.startswith("datasets/")}


def test_a_file_is_described_uploaded_read_and_told_of(house: House) -> None:
    dataset_id = add_dataset(house, compression="gzip")
    job_id = upload(house, dataset_id, packed(LINES.encode(), "gzip"))
    assert shown(house, job_id)["state"] == "awaited"
    assert house.intake.offered[0].startswith(f"handed-in/{house.organization_id}/{job_id}/")
    assert read_all(house) == 0, "nobody said that it is there"
    first = submit(house, job_id=job_id, key=None)
    assert (first.status_code, first.json()["state"]) == (202, "waiting")
    assert submit(house, job_id=job_id, key=None).json() == first.json()
    assert read_all(house) == 1
    done = shown(house, job_id)
    assert (done["state"], done["rows_read"], done["rows_accepted"], done["rows_quarantined"]) == (
        "done",
        3,
        1,
        2,
    )
    assert done["reasons"] == {"not_json": 1, "out_of_range": 1}
    ((path, content),) = accepted(house).items()
    assert path == f"datasets/{dataset_id}/dt={house.clock().date()}/{job_id}.parquet"
    assert [row["visit"] for row in rows_in(content)] == ["v1"]
    assert house.intake.kept == {}, "as it came it is kept no longer than needed"
    assert ask_beside(house, "GET", "/v1/jobs").json()["data"] == [done]
    link = ask_beside(house, "POST", f"/v1/jobs/{job_id}/links").json()
    path = link["url"].removeprefix("https://raw.example/").partition("?")[0]
    refused = refused_in(house.intake.files[path])
    assert [(each["line"], each["reason"], each["column"]) for each in refused] == [
        (2, "not_json", None),
        (3, "out_of_range", "age"),
    ]
    assert link["url"].endswith("&for=300")


def test_content_in_the_request_is_handed_in_once_however_often_it_is_sent(house: House) -> None:
    dataset_id = add_dataset(house)
    job_id = hand_in(house, dataset_id, GOOD)
    assert hand_in(house, dataset_id, GOOD) == job_id
    assert code(submit(house, dataset_id=dataset_id, content="{}", key="inline")) == (
        422,
        "idempotency_key_reused",
    )
    assert code(submit(house, dataset_id=dataset_id, content=GOOD, key=None)) == (
        422,
        "idempotency_key_missing",
    )
    assert read_all(house) == 1
    assert read_all(house, minutes=60) == 0
    assert shown(house, job_id)["rows_accepted"] == 1
    assert len(accepted(house)) == 1


def test_packed_content_comes_as_base64_in_whatever_form_it_says(house: House) -> None:
    dataset_id = add_dataset(house)
    content = base64.b64encode(packed(f"[{GOOD}]".encode(), "zstd")).decode()
    said = {"format": "json", "compression": "zstd", "encoding": "base64"}
    job_id = hand_in(house, dataset_id, content, **said)
    assert read_all(house) == 1
    assert shown(house, job_id)["rows_accepted"] == 1
    assert code(submit(house, dataset_id=dataset_id, content="%", **said)) == (422, "content_not_acceptable")


def test_a_file_is_handed_in_by_one_of_two_ways(house: House) -> None:
    for body in (
        {},
        {"job_id": "job_1", "content": "x"},
        {"job_id": "job_1", "dataset_id": "dset_1"},
        {"dataset_id": "dset_1"},
        {"content": "x"},
        {"dataset_id": "dset_1", "content": ""},
        {"dataset_id": "dset_1", "content": "x" * 1_000_001},
    ):
        assert code(submit(house, **body)) == (422, "content_not_acceptable"), body


def test_a_place_stays_the_same_and_its_form_ends_with_it(house: House) -> None:
    dataset_id = add_dataset(house)
    asked: dict[str, Any] = {"json": {"dataset_id": dataset_id}, "headers": {"Idempotency-Key": "one"}}
    first = ask_beside(house, "POST", "/v1/ingest/init", **asked).json()
    again = ask_beside(house, "POST", "/v1/ingest/init", **asked).json()
    assert again == first
    house.clock.advance(minutes=11)
    assert ask_beside(house, "POST", "/v1/ingest/init", **asked).json()["upload"] is None
    assert code(submit(house, job_id=first["id"])) == (409, "nothing_uploaded")
    house.clock.advance(minutes=30)
    assert shown(house, first["id"])["state"] == "lapsed"
    assert read_all(house, hours=1) == 0
    ((gone_at,),) = house.rows("SELECT gone_at FROM ingest_job")
    assert gone_at is not None


def test_nothing_that_is_too_large_is_taken_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amply.modules.ingestion.jobs.UPLOAD_BYTES_MAX", 5)
    job_id = upload(house, add_dataset(house), b"123456")
    assert code(submit(house, job_id=job_id)) == (422, "content_not_acceptable")
    assert shown(house, job_id)["state"] == "refused"
    assert read_all(house) == 0


def test_twenty_files_wait_at_most(house: House) -> None:
    dataset_id = add_dataset(house)
    for number in range(20):
        hand_in(house, dataset_id, GOOD, key=f"k{number}")
    assert code(submit(house, dataset_id=dataset_id, content=GOOD)) == (409, "too_many_jobs")
    assert read_all(house) == 10
    hand_in(house, dataset_id, GOOD, key="room")


def test_lists_come_page_by_page(house: House) -> None:
    dataset_id, other = add_dataset(house), add_dataset(house, title="Others")
    made = []
    for number in range(3):
        house.clock.advance(seconds=1)
        made.append(hand_in(house, dataset_id, GOOD, key=f"k{number}"))
    hand_in(house, other, GOOD, key="other")
    listed: dict[str, Any] = {"params": {"dataset_id": dataset_id, "limit": "2"}}
    first = ask_beside(house, "GET", "/v1/jobs", **listed).json()
    listed["params"]["cursor"] = first["next_cursor"]
    last = ask_beside(house, "GET", "/v1/jobs", **listed).json()
    assert [each["id"] for each in (*first["data"], *last["data"])] == made[::-1]
    assert (first["has_more"], last["has_more"]) == (True, False)
    for what, count in (("datasets", 2), ("sources", 1)):
        page = ask_beside(house, "GET", f"/v1/{what}").json()
        assert (len(page["data"]), page["degraded"]) == (count, False)
        assert (
            code(ask_beside(house, "GET", f"/v1/{what}", params={"cursor": first["next_cursor"]}))[0] == 422
        )


def test_a_dataset_is_described_once_and_changed_by_who_saw_it(house: House) -> None:
    body = dataset_body(house)
    made = ask_beside(house, "POST", "/v1/datasets", json=body).json()
    assert ask_beside(house, "POST", "/v1/datasets", json=body).json() == made
    assert (made["pii_policy_id"], made["retention_days"], made["schema_version"]) == ("default-v2", 365, 1)
    assert [column["name"] for column in made["columns"]] == [column["name"] for column in COLUMNS]
    assert code(ask_beside(house, "POST", "/v1/datasets", json={**body, "class": "crm"})) == (
        409,
        "dataset_taken",
    )
    path = f"/v1/datasets/{made['id']}"
    change = {"title": "Visits of guests", "retention_days": 30}
    assert code(ask_beside(house, "PATCH", path, json=change)) == (428, "if_match_missing")
    tag = ask_beside(house, "GET", path).headers["ETag"]
    changed = ask_beside(house, "PATCH", path, json=change, headers={"If-Match": tag})
    assert (changed.json()["title"], changed.json()["retention_days"]) == ("Visits of guests", 30)
    assert code(ask_beside(house, "PATCH", path, json={}, headers={"If-Match": tag})) == (
        412,
        "changed_meanwhile",
    )
    assert changed.headers["ETag"] == ask_beside(house, "GET", path).headers["ETag"]


def test_nothing_waits_for_its_release_until_it_lapses(house: House) -> None:
    assert add_dataset(house, release_every_days=60)
    longer = dataset_body(house, title="Others", release_every_days=61)
    assert ask_beside(house, "POST", "/v1/datasets", json=longer).status_code == 422


def test_columns_change_until_something_is_handed_in_and_a_file_is_read_by_those_it_came_under(
    house: House,
) -> None:
    dataset_id = add_dataset(house)
    path = f"/v1/datasets/{dataset_id}"

    def change(columns: list[dict[str, Any]]) -> Any:
        tag = ask_beside(house, "GET", path).headers["ETag"]
        return ask_beside(house, "PATCH", path, json={"columns": columns}, headers={"If-Match": tag})

    late = {"name": "is_late", "type": "boolean", "role": "direct"}
    more = [*(dict(column) for column in COLUMNS), late, {"name": "note", "type": "text", "role": "direct"}]
    assert change(more).json()["schema_version"] == 2
    job_id = hand_in(house, dataset_id, json.dumps({**ROWS[1], "age": 99}))
    assert code(change(more[:-1])) == (409, "columns_are_fixed")
    stricter = [{**column, **({"most": 50} if column["name"] == "age" else {})} for column in more]
    assert change(stricter).json()["schema_version"] == 3
    later = hand_in(house, dataset_id, json.dumps({**ROWS[1], "age": 99}), key="later")
    assert read_all(house) == 2
    assert [shown(house, each)["rows_accepted"] for each in (job_id, later)] == [1, 0]
    assert [shown(house, each)["schema_version"] for each in (job_id, later)] == [2, 3]
    told = {**more[-1], "role": "insensitive", "one_of": ["late"]}
    assert code(change([*more[:-1], told])) == (409, "columns_are_fixed"), (
        "the first file says whatever it likes"
    )
    plain = [*more[:-2], {**late, "role": "insensitive"}, more[-1]]
    assert code(change(plain)) == (409, "columns_are_fixed"), "what was to be in no release is in none"
    spent = [
        {**each, **({"bands": [], "least": 0, "most": 9} if each["name"] == "spent" else {})} for each in more
    ]
    assert code(change(spent)) == (409, "columns_are_fixed"), "and spent whatever it likes"


def test_what_was_described_before_numbers_were_bounded_goes_on_until_its_columns_change(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = {"name": "phone", "type": "integer", "role": "insensitive"}
    loose = dataset_body(house, columns=[*(dict(column) for column in COLUMNS), phone])
    with monkeypatch.context() as before:
        before.setattr("amply.modules.ingestion.datasets.check", lambda _: None)
        made = ask_beside(house, "POST", "/v1/datasets", json=loose).json()
    assert ask_beside(house, "POST", "/v1/datasets", json=loose).json() == made, "a program repeats it"
    others = ask_beside(house, "POST", "/v1/datasets", json={**loose, "title": "Others"})
    assert (others.status_code, others.json()["param"]) == (422, f"columns.{len(COLUMNS)}.most")
    job_id = hand_in(house, made["id"], json.dumps({**ROWS[0], "phone": 493012345678}))
    assert read_all(house) == 1
    assert shown(house, job_id)["rows_accepted"] == 1

    def change(**asked: Any) -> Any:
        tag = ask_beside(house, "GET", f"/v1/datasets/{made['id']}").headers["ETag"]
        return ask_beside(house, "PATCH", f"/v1/datasets/{made['id']}", json=asked, headers={"If-Match": tag})

    assert change(title="Visits of guests", columns=loose["columns"]).json()["schema_version"] == 1
    wider = [{**each, **({"most": 140} if each["name"] == "age" else {})} for each in loose["columns"]]
    assert change(columns=wider).status_code == 422
    bounded = {**phone, "least": 0, "most": 9_999}
    assert code(change(columns=[*wider[:-1], bounded])) == (409, "columns_are_fixed"), (
        "the telephone number that came would be released from then on as if it were none"
    )
    assert change(columns=[*wider[:-1], {**phone, "role": "direct"}]).json()["schema_version"] == 2
    assert code(change(columns=[*wider[:-1], bounded])) == (409, "columns_are_fixed")


def test_a_file_that_begins_while_columns_change_is_read_by_the_new_ones(house: House) -> None:
    dataset_id = add_dataset(house)
    changing = house.master.engine.raw_connection()
    cursor = changing.cursor()
    cursor.execute("SELECT FROM dataset FOR UPDATE")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(hand_in, house, dataset_id, GOOD)
        while not house.rows(
            "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        ):
            assert not waiting.done(), "it should wait for whoever changes the columns"
        cursor.execute("""
            INSERT INTO dataset_schema (dataset_id, version, organization_id, columns, created_at)
            SELECT dataset_id, 2, organization_id, columns, created_at FROM dataset_schema
        """)
        cursor.execute("UPDATE dataset SET schema_version = 2")
        changing.commit()
        assert shown(house, waiting.result(60))["schema_version"] == 2
    changing.close()


def test_what_nobody_could_anonymise_is_refused_when_it_is_described(house: House) -> None:
    body = dataset_body(house)
    answer = ask_beside(house, "POST", "/v1/datasets", json={**body, "columns": body["columns"][:1]})
    assert code(answer) == (422, "dataset_not_acceptable")
    assert code(ask_beside(house, "POST", "/v1/datasets", json={**body, "source_id": "src_1"})) == (
        404,
        "source_not_found",
    )
    assert code(ask_beside(house, "POST", "/v1/sources", json={"title": " "})) == (
        422,
        "source_not_acceptable",
    )


def test_a_closed_dataset_takes_nothing_in(house: House) -> None:
    dataset_id = add_dataset(house)
    path = f"/v1/datasets/{dataset_id}"
    tag = ask_beside(house, "GET", path).headers["ETag"]
    ask_beside(house, "PATCH", path, json={"state": "closed"}, headers={"If-Match": tag})
    assert code(submit(house, dataset_id=dataset_id, content=GOOD)) == (409, "dataset_closed")


def test_who_is_not_verified_hands_nothing_in(house: House) -> None:
    house.run("UPDATE organization SET state = 'suspended' WHERE id = :id", id=house.organization_id)
    assert code(ask_beside(house, "POST", "/v1/sources", json={"title": "Till"})) == (409, "intake_not_yet")


def test_a_key_hands_in_for_its_own_organisation_and_sees_no_others(house: House) -> None:
    _, secret = house.key("data:write")
    source = house.ask("POST", "/v1/sources", key=secret, json={"title": "Till"})
    assert source.status_code == 201
    made = house.ask(
        "POST", "/v1/datasets", key=secret, json={**dataset_body(house), "source_id": source.json()["id"]}
    )
    assert made.status_code == 201, made.text
    path = f"/v1/datasets/{made.json()['id']}"
    assert code(ask_beside(house, "GET", path, by="usr_stranger", of=house.other_id)) == (
        404,
        "dataset_not_found",
    )
    theirs = ask_beside(house, "GET", "/v1/datasets", by="usr_stranger", of=house.other_id).json()
    assert theirs["data"] == []
    _, reads = house.key("data:read", name="reads")
    assert house.ask("GET", path, key=reads).status_code == 200
    assert code(house.ask("POST", "/v1/sources", key=reads, json={"title": "x"})) == (403, "not_allowed")
    assert code(house.ask("GET", "/v1/sources", by="usr_owner")) == (422, "invalid_request")
    assert code(house.ask("GET", "/v1/sources")) == (401, "authentication_required")


def test_where_no_data_is_taken_in_lists_are_empty_and_say_so_and_nothing_is_changed(house: House) -> None:
    dataset_id = add_dataset(house)
    job_id = hand_in(house, dataset_id, GOOD)
    house.app.state.intake = None
    empty = {"data": [], "has_more": False, "next_cursor": None, "degraded": True}
    for path in ("sources", "datasets", "jobs"):
        answer = ask_beside(house, "GET", f"/v1/{path}")
        assert (answer.status_code, answer.json()) == (200, empty)
    for path in (f"datasets/{dataset_id}", f"jobs/{job_id}", "jobs/job_0"):
        answer = ask_beside(house, "GET", f"/v1/{path}")
        assert (answer.status_code, answer.json()) == (200, {"degraded": True, "data": []})
    for method, path, body in (
        ("POST", "sources", {"title": "x"}),
        ("POST", "ingest/init", {"dataset_id": dataset_id}),
        ("POST", "ingest/submit", {"job_id": job_id}),
        ("POST", f"jobs/{job_id}/links", None),
        ("PATCH", f"datasets/{dataset_id}", {}),
    ):
        answer = ask_beside(house, method, f"/v1/{path}", json=body)
        assert code(answer) == (503, "intake_not_offered"), path
        assert "capability disabled" in answer.json()["detail"].replace("is disabled", "disabled")
    assert code(ask_beside(house, "GET", "/v1/sources", by="usr_viewer")) == (403, "not_allowed")


@pytest.mark.parametrize("dies", ["before_put", "after_put"])
def test_whoever_sent_content_and_got_no_answer_sends_it_again(house: House, dies: str) -> None:
    dataset_id = add_dataset(house)
    house.intake.dies = dies
    assert submit(house, dataset_id=dataset_id, content=GOOD, key="inline").status_code == 500
    hand_in(house, dataset_id, GOOD)
    assert read_all(house) == 1
    assert house.rows("SELECT count(*) FROM ingest_job")[0].count == 1
