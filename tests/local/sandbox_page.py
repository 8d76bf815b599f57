"""Runs the commands of docs/sandbox.md in one shell."""

import os
import re
import subprocess
from collections.abc import Mapping
from typing import Final

from local_cloud.settings import PROJECT_ROOT

_PAGE: Final = (PROJECT_ROOT / "docs" / "sandbox.md").read_text()
LAPTOP, OWN = _PAGE.split("## One of your own, in the cloud")
_STRICTLY: Final = "set -eu -o pipefail\n"


def commands(part: str) -> str:
    """Every block of commands in a part of the page, in its order."""
    return "\n".join(re.findall(r"```sh\n(.*?)```", part, re.DOTALL))


def typed(lines: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Type them at the project's root, with nothing of AWS in the environment but what is given."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return subprocess.run(
        ["bash", "-c", _STRICTLY + lines],
        cwd=PROJECT_ROOT,
        env={**own, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
