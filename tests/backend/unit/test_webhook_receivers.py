"""The receiving side of webhooks, as docs/webhooks.md shows it in Python and TypeScript, against what is really signed."""

import base64
import json
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from amply.modules.public_events import EventType, PublicEvent
from amply.modules.webhook_endpoints.signatures import fresh_private_key, public_key_of, signed_headers

ROOT: Final = Path(__file__).parents[3]
PAGE: Final = ROOT / "docs" / "webhooks.md"
ESBUILD: Final = ROOT / "services" / "widgets" / "node_modules" / ".bin" / "esbuild"
OURS, OTHERS = "org_ours", "org_others"
EVENT: Final = PublicEvent(
    id="event_1",
    type="donation.succeeded",
    organization_id=OURS,
    data={"donation_id": "don_1"},
    occurred_at=datetime(2026, 11, 27, tzinfo=UTC),
)
Case = Mapping[str, Any]
"""What a receiver is given: `headers`, `body`, `public_keys` and `organization_id`."""


def snippet(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    return str(found)


def case(
    *, signed_by: Sequence[str], known: Sequence[str], ago: timedelta = timedelta(), **changes: Any
) -> Case:
    body = EVENT.body()
    headers = signed_headers(body, message_id=EVENT.id, private_keys=signed_by, now=datetime.now(UTC) - ago)
    keys = [public_key_of(each) for each in known]
    return {"headers": headers, "body": body, "public_keys": keys, "organization_id": OURS, **changes}


def _without(given: Case, header: str) -> Case:
    return {**given, "headers": {name: said for name, said in given["headers"].items() if name != header}}


@pytest.fixture
def cases() -> Mapping[str, tuple[Case, bool]]:
    """Each with whether a receiver takes it. The receivers ask the real clock."""
    key, new, foreign = (fresh_private_key() for _ in range(3))
    good = case(signed_by=[key], known=[key])
    return {
        "good": (good, True),
        "signed by both of a rotation, the former known": (case(signed_by=[new, key], known=[key]), True),
        "signed by both of a rotation, the new one known": (
            case(signed_by=[new, key], known=[foreign, new]),
            True,
        ),
        "another key": (case(signed_by=[foreign], known=[key]), False),
        "another body": ({**good, "body": EVENT.body().replace(b"don_1", b"don_2")}, False),
        "another id": ({**good, "headers": {**good["headers"], "webhook-id": "event_2"}}, False),
        "old": (case(signed_by=[key], known=[key], ago=timedelta(hours=1)), False),
        "of the future": (case(signed_by=[key], known=[key], ago=-timedelta(hours=1)), False),
        **{
            f"without {name}": (_without(good, name), False)
            for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
        },
        "of another organisation": ({**good, "organization_id": OTHERS}, False),
    }


def test_the_receiver_in_python_takes_what_is_ours_and_nothing_else(
    cases: Mapping[str, tuple[Case, bool]],
) -> None:
    code: dict[str, Any] = {}
    exec(snippet("python"), code)  # noqa: S102 -- the page's own code
    verified: Callable[..., dict[str, Any]] = code["verified"]

    def takes(given: Case) -> bool:
        try:
            return bool(verified(**given)["id"] == EVENT.id)
        except ValueError:
            return False

    assert {name: takes(given) for name, (given, _) in cases.items()} == {
        name: is_taken for name, (_, is_taken) in cases.items()
    }


def test_the_receiver_in_typescript_takes_the_same(
    cases: Mapping[str, tuple[Case, bool]], tmp_path: Path
) -> None:
    if not ESBUILD.exists():
        pytest.fail("make setup installs the widgets' packages, which this needs")
    (tmp_path / "receiver.ts").write_text(snippet("typescript") + _DRIVER)
    command = [str(ESBUILD), "receiver.ts", "--format=esm", "--outfile=receiver.mjs", "--log-level=error"]
    subprocess.run(command, cwd=tmp_path, check=True)
    given = {
        name: {**each, "body": base64.b64encode(each["body"]).decode()} for name, (each, _) in cases.items()
    }
    ran = subprocess.run(
        ["node", "receiver.mjs"],
        cwd=tmp_path,
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(ran.stdout) == {name: is_taken for name, (_, is_taken) in cases.items()}


_DRIVER: Final = """
import { readFileSync } from "node:fs";
const verdicts: Record<string, boolean> = {};
for (const [name, given] of Object.entries<any>(JSON.parse(readFileSync(0, "utf8")))) {
  try {
    const body = Buffer.from(given.body, "base64");
    verdicts[name] = verified(given.headers, body, given.public_keys, given.organization_id).id === "event_1";
  } catch {
    verdicts[name] = false;
  }
}
console.log(JSON.stringify(verdicts));
"""


def test_the_page_names_every_type_of_event() -> None:
    named = set(re.findall(r"^\| `(\w+\.\w+)` \|", PAGE.read_text(), flags=re.MULTILINE))
    assert named == set(EventType)
