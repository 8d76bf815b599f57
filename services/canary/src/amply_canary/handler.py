"""Handler for CloudWatch Synthetics: an exception fails the run."""

import json
import os
import sys
import urllib.error
import urllib.request
from typing import Any, Final

from amply_canary.checks import NotThere, Unwell, look
from amply_canary.keys import PlainLogKey, read_policy
from amply_canary.pages import look_at_pages

_SECONDS_MAX: Final = 10
_BYTES_MAX: Final = 1_048_576
_OK: Final = 200
_NOT_FOUND: Final = 404


def handler(_event: Any, _context: Any) -> None:
    """Look once, with the addresses of the environment, and write down what was seen.

    Raises:
        Unwell: Something is not as it has to be.
    """
    log, origin = os.environ["AMPLY_LOG_URL"], os.environ["AMPLY_LOG_ORIGIN"]
    # While keys change, the newest checkpoint may still be one that only the former key has signed.
    arns = [os.environ["AMPLY_SIGNING_KEY_ARN"], os.environ.get("AMPLY_OVERLAPPING_KEY_ARN", "")]
    keys = [PlainLogKey.of_log(origin, key_arn=arn) for arn in arns if arn]
    policy = read_policy(os.environ["AMPLY_WITNESS_POLICY"])
    api = os.environ["AMPLY_API_URL"]
    view = look(api=api, log=log, keys=keys, policy=policy, get=get)
    look_at_pages(site=os.environ["AMPLY_EDGE_URL"], api=api, get=get)
    sys.stdout.write(json.dumps({"event": "all_well", **vars(view)}) + "\n")


def get(url: str) -> bytes:
    """Fetch an address, within bounds of time and size.

    Raises:
        NotThere: The server answers 404.
        Unwell: There is no answer, or another one than 200, or it comes from another address.
    """
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "amply-canary"})  # noqa: S310 -- our own addresses
        with urllib.request.urlopen(request, timeout=_SECONDS_MAX) as answer:  # noqa: S310 -- as above
            body: bytes = answer.read(_BYTES_MAX + 1)
            found, status = answer.geturl(), answer.status
    except urllib.error.HTTPError as error:
        if error.code == _NOT_FOUND:
            raise NotThere(f"There is nothing at {url}.") from error
        raise Unwell(f"{url} answers with HTTP {error.code}.") from error
    except OSError as error:
        raise Unwell(f"{url} does not answer: {error}.") from error
    if (found, status) != (url, _OK):
        # Nobody who verifies follows a redirect (docs/ledger-format.md §4).
        raise Unwell(f"{url} answers with HTTP {status} from {found}.")
    if len(body) > _BYTES_MAX:
        raise Unwell(f"{url} answers with more than {_BYTES_MAX} bytes.")
    return body
