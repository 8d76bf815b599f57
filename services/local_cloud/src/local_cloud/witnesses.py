"""Three witnesses, run as partners would, each with a private key that nothing else here can read.

The policy file names them, and demands two. The publisher is told of it, and people verify with it.
"""

import subprocess

from ledger_format.cosignatures import WitnessKey
from ledger_format.notes import VerifierKey
from ledger_format.policies import Group, Policy, PolicyLog, PolicyWitness
from local_cloud.failures import LocalCloudError
from local_cloud.settings import Settings
from stacks.local_ports import WITNESSES, witness_part

_QUORUM = 2
_GROUP = "two-of-three"


def command(settings: Settings, number: int) -> tuple[str, ...]:
    """How a witness is started; the same command with `--print-key` says which key is its own."""
    return (
        *(str(settings.python), "-m", "amply_verify", "witness"),
        *("--name", f"localhost/{witness_part(number)}"),
        *("--directory", str(settings.witness(number))),
    )


def write_policy(settings: Settings, log_key: VerifierKey) -> None:
    """Let each witness generate its key if necessary, and write the policy that names them."""
    witnesses = tuple(
        PolicyWitness(
            witness_part(number), _key(settings, number), settings.url(settings.ports.witness(number))
        )
        for number in WITNESSES
    )
    policy = Policy(
        logs=(PolicyLog(log_key, settings.log_url),),
        witnesses=witnesses,
        groups=(Group(_GROUP, _QUORUM, tuple(witness.name for witness in witnesses)),),
        quorum=_GROUP,
    )
    settings.policy.write_text(policy.text())


def _key(settings: Settings, number: int) -> WitnessKey:
    done = subprocess.run(
        [*command(settings, number), "--print-key"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise LocalCloudError(f"Witness {number} has no key: {done.stderr.strip()}")
    return WitnessKey.parse(done.stdout.strip())
