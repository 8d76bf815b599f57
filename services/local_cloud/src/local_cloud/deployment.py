"""Deploys the app's local stage into the emulated cloud, by the CDK command line."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local_cloud import flags
from local_cloud.cloud import ACCESS, Cloud
from local_cloud.failures import LocalCloudError
from local_cloud.inputs import digest
from local_cloud.settings import ACCOUNT, ENVIRONMENT, REGION, Settings

_BOOTSTRAP_STACK = "CDKToolkit"
_FUNCTIONS: Mapping[str, str] = {"marketplace": "marketplace", flags.TERMINALS: "terminals"}
"""Flags whose code is deployed with its stack, and where below `services/` it is; others run as tasks."""
_LOSSES = 1
"""What `operations.difference` ends with when data would be lost; with anything else but 0 nothing was compared."""
_WOULD_LOSE = (
    "Could not deploy this change: it would replace or destroy what holds data (the comment is in the log; name it in "
    "stacks/replacements.toml, or start afresh with 'make clean')."
)
_NOT_COMPARED = (
    "Could not compare this change with what is deployed (exit status {code}), so that nothing was deployed: mend what the "
    "log names, then type 'make local' again."
)
_WELL = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})


@dataclass(frozen=True)
class Deployment:
    """What is deployed into one run's emulated cloud."""

    cloud: Cloud

    @property
    def _settings(self) -> Settings:
        return self.cloud.settings

    @property
    def _flags(self) -> tuple[str, ...]:
        return flags.remembered(self._settings)

    @property
    def _note(self) -> Path:
        """Holds the digest of what was last deployed."""
        return self._settings.emulator / "deployed"

    def is_bootstrapped(self) -> bool:
        return self._statuses().get(_BOOTSTRAP_STACK) in _WELL

    def bootstrap(self) -> None:
        """Run `cdk bootstrap`, which needs no synthesis."""
        arguments = (
            "bootstrap",
            f"aws://{ACCOUNT}/{REGION}",
            "--output",
            str(self._settings.emulator / "bootstrap"),
        )
        self._cdk(arguments, directory=self._settings.emulator, words="bootstrap the emulated cloud")

    def is_current(self) -> bool:
        """Whether exactly these sources are deployed, and all stacks are healthy."""
        noted = self._note.read_text() if self._note.exists() else ""
        statuses = {
            name: status for name, status in self._statuses().items() if name.startswith(f"{ENVIRONMENT}-")
        }
        return noted == self._sources() and bool(statuses) and _WELL.issuperset(statuses.values())

    def deploy(self) -> None:
        """Deploy every stack of the local stage. Recorded only when all succeeded.

        Raises:
            LocalCloudError: It did not succeed, or would have replaced or destroyed what holds data.
        """
        sources = self._sources()
        self._note.unlink(missing_ok=True)
        synthesis = ("synth", f"{ENVIRONMENT}/*", "--quiet", *self.app(assembly="assembly"))
        self._cdk(synthesis, directory=self._settings.root, words="synthesise the platform")
        assembly = self._settings.emulator / "assembly"
        self._take_away_leftovers(assembly)
        if any(name.startswith(f"{ENVIRONMENT}-") for name in self._statuses()):
            self._refuse_losses(assembly)
        arguments = (
            *("deploy", f"{ENVIRONMENT}/*", "--app", str(assembly)),
            *("--require-approval", "never", "--concurrency", "4", "--ci"),
        )
        self._cdk(arguments, directory=self._settings.root, words="deploy the platform")
        self._note.write_text(sources)

    def _take_away_leftovers(self, assembly: Path) -> None:
        """Stacks of a flag that is off now, their data with them: the command line forgets what is not in the app.

        Before losses are looked for: who turns a flag off has said so.
        """
        there, wanted = self._statuses(), _stacks(assembly)
        for name in (f"{ENVIRONMENT}-{stack}" for stack in flags.TOPMOST_FIRST):
            if name in there and name not in wanted:
                self.cloud.cloudformation.delete_stack(StackName=name)
                self.cloud.cloudformation.get_waiter("stack_delete_complete").wait(
                    StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
                )

    def _refuse_losses(self, assembly: Path) -> None:
        """Ask the reviewer's program, as a pull request would, before anything that holds data is touched."""
        deployed = self._settings.emulator / "deployed-before"
        shutil.rmtree(deployed, ignore_errors=True)
        download = ("deployed", ENVIRONMENT, "--assembly", str(assembly), "--to", str(deployed))
        self._run(self._operations(download), self._settings.root, "read what is deployed")
        replacements = str(self._settings.root / "stacks" / "replacements.toml")
        compare = (
            "difference",
            str(deployed),
            str(assembly),
            "--environment",
            ENVIRONMENT,
            "--replacements",
            replacements,
        )
        code = self._logged(self._operations(compare), self._settings.root)
        if code == 0:
            return
        sentence = _WOULD_LOSE if code == _LOSSES else _NOT_COMPARED.format(code=code)
        raise LocalCloudError(sentence, log=self._settings.log_of("cdk"))

    def _operations(self, arguments: Sequence[str]) -> tuple[str, ...]:
        return (str(self._settings.python), "-m", f"operations.{arguments[0]}", *arguments[1:])

    def show_differences(self) -> int:
        """Print what a deployment would change; returns 1 when that is anything, as `cdk diff --fail` does."""
        arguments = ("diff", f"{ENVIRONMENT}/*", "--fail", *self.app(assembly="compared"))
        return self._talk(arguments)

    def destroy(self) -> int:
        """Destroy every stack in reverse order, printing progress. Returns the exit status."""
        self._note.unlink(missing_ok=True)
        assembly = self._settings.emulator / "assembly"
        # Only the stacks' names are needed of it: what was deployed last tells them as well as the sources do.
        app = ("--app", str(assembly)) if assembly.is_dir() else self.app(assembly="destroyed")
        return self._talk(("destroy", f"{ENVIRONMENT}/*", "--force", "--ci", *app))

    def app(self, *, assembly: str) -> tuple[str, ...]:
        """The arguments that name this run's app, synthesised into a folder that is made anew.

        The command line locks the folder it reads. One that was killed a moment ago may still hold it, and nobody
        else uses the same: `up` works alone.
        """
        output = self._settings.emulator / assembly
        shutil.rmtree(output, ignore_errors=True)
        return (
            *("--context", f"only={ENVIRONMENT}", "--context", f"port_base={self._settings.ports.base}"),
            *("--output", str(output)),
            *(("--context", f"flags={','.join(self._flags)}") if self._flags else ()),
            # Nothing is looked up in any account, least of all in an emulated one.
            "--no-lookups",
        )

    def _sources(self) -> str:
        root = self._settings.root
        return digest(
            (
                root / "app.py",
                root / "cdk.json",
                root / "package-lock.json",
                root / "requirements.txt",
                root / "stacks",
                root / "constructs_lib",
                root / "services" / "widgets" / "dist",
                root / "services" / "widgets" / "headers.json",
                root / "services" / "widgets" / "versions.json",
                *(root / "services" / _FUNCTIONS[flag] / "src" for flag in self._flags if flag in _FUNCTIONS),
            ),
            words=(str(self._settings.ports.base), *self._flags),
        )

    def _statuses(self) -> dict[str, str]:
        pages = self.cloud.cloudformation.get_paginator("describe_stacks").paginate()
        return {stack["StackName"]: stack["StackStatus"] for page in pages for stack in page["Stacks"]}

    def _cdk(self, arguments: Sequence[str], *, directory: Path, words: str) -> None:
        self._run((str(self._settings.cdk), *arguments), directory, words)

    def _run(self, command: Sequence[str], directory: Path, words: str) -> None:
        if code := self._logged(command, directory):
            raise LocalCloudError(
                f"Could not {words} (exit status {code}).", log=self._settings.log_of("cdk")
            )

    def _logged(self, command: Sequence[str], directory: Path) -> int:
        """Run a command, its output appended to the log; returns its exit status."""
        with self._settings.log_of("cdk").open("ab") as log:
            done = subprocess.run(
                command,
                cwd=directory,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=False,
            )
        return done.returncode

    def _talk(self, arguments: Sequence[str]) -> int:
        """Run the command line where the person sees it."""
        command = [str(self._settings.cdk), *arguments]
        done = subprocess.run(command, cwd=self._settings.root, env=self._environment(), check=False)
        return done.returncode

    def _environment(self) -> dict[str, str]:
        """The person's own, but with the emulator as AWS whatever account they are signed in to."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {
            **own,
            **ACCESS,
            "AWS_ENDPOINT_URL": self._settings.cloud_url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "PATH": f"{self._settings.python.parent}:{own.get('PATH', os.defpath)}",
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            # Half of a synthesis is spent on it; `make gates` validates the same templates.
            "CDK_VALIDATION": "false",
            "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
        }


def _stacks(assembly: Path) -> list[str]:
    """The names of a local stage's stacks."""
    manifest = json.loads((assembly / f"assembly-{ENVIRONMENT}" / "manifest.json").read_text())
    return [
        str(artifact["properties"]["stackName"])
        for artifact in manifest["artifacts"].values()
        if artifact["type"] == "aws:cloudformation:stack"
    ]
