"""The public client of Delta Sharing, by others, reads what it was sold into pandas, and nothing once that was revoked."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.marketplace.door import door
from tests.marketplace.market import Buyer, Market

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
PYTHON = Path(__file__).parents[2] / ".venv-peers" / "bin" / "python"


@pytest.fixture(scope="module")
def address(market: Market) -> Iterator[str]:
    with door(market) as opened:
        yield opened


def _found(buyer: Buyer, address: str, folder: Path) -> dict[str, Any]:
    profile = folder / "profile.share"
    profile.write_text(
        json.dumps({"shareCredentialsVersion": 1, "endpoint": address, "bearerToken": buyer.token})
    )
    done = subprocess.run(
        [str(PYTHON), str(Path(__file__).with_name("buyer.py")), str(profile)],
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_a_buyer_reads_every_table_with_the_public_client_until_it_is_revoked(
    market: Market, address: str, tmp_path: Path
) -> None:
    """One process of it for each half: starting pandas is what takes the time."""
    buyer = market.sell(market.release([100, 201], [303]), market.release([5]))

    found = _found(buyer, address, tmp_path)

    first, second = buyer.datasets
    assert found["shares"] == [buyer.contract]
    assert found["tables"] == {
        first: {
            "version": 1,
            "columns": {"age_range": "object", "amount_minor": "int64"},
            "rows": [["40-49", 100], ["30-39", 201], ["30-39", 303]],
            "first": 1,
        },
        second: {
            "version": 1,
            "columns": {"age_range": "object", "amount_minor": "int64"},
            "rows": [["30-39", 5]],
            "first": 1,
        },
    }
    answers = [one for one in market.events(buyer) if one["event"]["S"] != "total"]
    assert len(answers) == 4, "each table was read twice"

    market.revoke(buyer)
    assert _found(buyer, address, tmp_path) == {"refused": 403}
