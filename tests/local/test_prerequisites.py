"""The first thing that a machine lacks, in one sentence that says what to install."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from local_cloud.settings import PROJECT_ROOT

PYTHON = "#!/bin/sh\n[ \"$1\" != --version ] || echo 'Python 3.9.2'\n"
NO_VENV = "#!/bin/sh\ncase $2 in *ensurepip*) exit 1;; esac\n"
TOO_OLD = PYTHON + "case $2 in *version_info*) exit 1;; esac\n"
NODE = '#!/bin/sh\n[ "$1" = --version ] && echo v22.1.0 || echo 22\n'
OLD_NODE = NODE.replace("22", "18")
WHOLE = {"python3": PYTHON, "node": NODE, "npm": "#!/bin/sh\n", "flock": "#!/bin/sh\n"}


def _said(machine: Mapping[str, str], folder: Path) -> tuple[int, str]:
    """What is said on a machine that has these programs and no other."""
    for name, program in machine.items():
        (folder / name).write_text(program)
        (folder / name).chmod(0o755)
    done = subprocess.run(
        ["/bin/bash", str(PROJECT_ROOT / ".ci" / "prerequisites"), "python3"],
        env={"PATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr.strip()


def test_a_machine_with_everything_is_told_nothing(tmp_path: Path) -> None:
    assert _said(WHOLE, tmp_path) == (0, "")


@pytest.mark.parametrize(
    ("machine", "sentence"),
    [
        (
            {},
            "Python is missing: install Python 3.11 or newer (Debian: apt-get install python3 python3-venv).",
        ),
        (
            {**WHOLE, "python3": TOO_OLD},
            "Python 3.9.2 is too old: install Python 3.11 or newer and run with PYTHON=/path/to/python3.",
        ),
        ({**WHOLE, "python3": NO_VENV}, "Python's venv module is missing: apt-get install python3-venv."),
        ({"python3": PYTHON}, "Node.js is missing: install Node 20 or newer."),
        ({**WHOLE, "node": OLD_NODE}, "Node v18.1.0 is too old: install Node 20 or newer."),
        (
            {name: program for name, program in WHOLE.items() if name != "flock"},
            "flock is missing: apt-get install util-linux.",
        ),
        (
            {name: program for name, program in WHOLE.items() if name != "npm"},
            "npm is missing: install it beside Node (Debian: apt-get install npm).",
        ),
    ],
)
def test_what_a_machine_lacks_is_named(machine: Mapping[str, str], sentence: str, tmp_path: Path) -> None:
    assert _said(machine, tmp_path) == (1, sentence)
