"""A checkout of make's own files with stubs on its PATH: what `make` does with folders and environments, without installing."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from local_cloud.settings import PROJECT_ROOT

_STUB = """#!/bin/bash
# Python, uv, node and npm in one. What is installed goes where uv would put it: --python, then VIRTUAL_ENV, then .venv.
name=${0##*/}
goes_to=${VIRTUAL_ENV:-.venv}
[[ " $* " =~ \\ --python\\ ([^ ]+)/bin/python\\  ]] && goes_to=${BASH_REMATCH[1]}
case "$name $*" in
  *" -m venv "* | "uv venv "*)
    mkdir -p "${@: -1}/bin"
    ln -sf "$STUBS/interpreter" "${@: -1}/bin/python" ;;
  "python -m pip install "*) [ ! -e "$STUBS/no-network" ] || exit 1; ln -s "$STUBS/interpreter" .venv/bin/uv ;;
  "uv pip install "*) echo "installed into $goes_to" ;;
  "python -m local_cloud "*) echo "local_cloud $3, modules of ${PYTHONPATH:-None}" ;;
  "node -p "*) echo 22; exit ;;
  "npm "*)
    [[ $* != *--silent* && -e $STUBS/no-network ]] && echo "npm error network is unreachable" >&2
    [ ! -e "$STUBS/no-network" ] || exit 1
    [[ $* != *" ci "* ]] || mkdir -p "$2/node_modules"
    [[ $* != *" build" ]] || mkdir -p "$2/dist" ;;
esac
echo "$name ${*//$'\\n'/ } -> $goes_to" >>"$STUBS/called"
"""


_HELD = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")


@dataclass
class Checkout:
    """One folder; `stubs` are shared by its copies."""

    folder: Path
    stubs: Path

    @property
    def run(self) -> Path:
        return self.folder / "var" / "local"

    @property
    def environment(self) -> dict[str, str]:
        own = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AMPLY_", "MAKE", "MFLAGS"))
        }
        return {**own, "PATH": f"{self.stubs}:/usr/bin:/bin", "STUBS": str(self.stubs)}

    def make(
        self, *words: str, without_privileges: bool = False, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """What a person sees; `without_privileges` root is held to the modes of files as everybody is."""
        held = _HELD if without_privileges and os.geteuid() == 0 else ()
        return subprocess.run(
            [*held, "make", *words],
            cwd=self.folder,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def called(self) -> list[str]:
        """What was called since somebody last looked."""
        log = self.stubs / "called"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return [line for line in lines if not line.startswith(("python3 -c", "node "))]

    def copied(self, to: Path) -> "Checkout":
        shutil.copytree(self.folder, to, symlinks=True)
        return Checkout(to, self.stubs)

    def as_if_set_up_here(self) -> "Checkout":
        """Let the stamps of a copy tell of its own folder."""
        for stamp in (".venv/uv", ".venv/ready", ".venv-cloud/ready", ".venv-peers/ready"):
            (self.folder / stamp).write_text(f"{self.folder}\n{self.stubs / 'interpreter'}")
        return self


def checkout_in(folder: Path, *, stubs: Path) -> Checkout:
    """The files of this checkout that installing asks for, as they are now."""
    lists = PROJECT_ROOT.glob("services/*/pyproject.toml")
    asked_for = ("requirements.txt", "package.json", "package-lock.json", "emulator/requirements.txt")
    folders = (".", "services/local_cloud", "services/widgets", "tests/verify/peers")
    found = [PROJECT_ROOT / where / name for where in folders for name in asked_for]
    for file in (PROJECT_ROOT / "Makefile", *lists, *(file for file in found if file.exists())):
        copy = folder / file.relative_to(PROJECT_ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
    shutil.copytree(PROJECT_ROOT / ".ci", folder / ".ci")
    stubs.mkdir()
    (stubs / "interpreter").write_text(_STUB)
    (stubs / "interpreter").chmod(0o755)
    for name in ("python3", "node", "npm"):
        (stubs / name).symlink_to("interpreter")
    return Checkout(folder, stubs)
