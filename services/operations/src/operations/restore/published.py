"""Compares the restored ledger with the published log, by the public verifier.

The archive keeps every published checkpoint, write-once. The one of the restored size is verified by `amply-verify`
with the key that people pin, and its root must be the restored one.
"""

import base64
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from operations.restore.checks import Head
from operations.restore.outcome import Finding, NotChecked, Verdict

_VERIFIED = 0
_REFUSED = range(10, 20)
_SECONDS_MAX = 60


def check_published(s3: Any, *, archive: str, head: Head, key: str) -> Finding:
    """`s3` is boto3's client. Raises NotChecked when the verifier cannot be asked, ClientError when S3 cannot."""
    path = f"checkpoints/{head.size}"
    try:
        note = s3.get_object(Bucket=archive, Key=path)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        return _wrong(f"the archive has no {path}, though the database calls it published")
    return hold_against(note, head=head, key=key)


def hold_against(note: bytes, *, head: Head, key: str) -> Finding:
    """Let `amply-verify` judge the signed note, and compare what it proves with the restored tree."""
    with tempfile.TemporaryDirectory() as room:
        file = Path(room) / "checkpoint"
        file.write_bytes(note)
        keys = Path(room) / "keys"
        keys.write_text(f"{key}\n")
        pinned = str(keys) if "\n" in key else key
        command = [_verifier(), "checkpoint", str(file), "--key", pinned, "--json"]
        try:
            done = subprocess.run(  # noqa: S603 -- our own program, its arguments as a list
                command, capture_output=True, text=True, check=False, timeout=_SECONDS_MAX
            )
        except subprocess.TimeoutExpired as silent:
            raise NotChecked(
                f"amply-verify said nothing in {_SECONDS_MAX} seconds: try it by hand."
            ) from silent
    if done.returncode in _REFUSED:
        return _wrong(f"amply-verify refuses the archived checkpoint of {head.size}: {done.stdout.strip()}")
    if done.returncode != _VERIFIED:
        raise NotChecked(f"amply-verify could not check: {(done.stdout or done.stderr).strip()}")
    proven = json.loads(done.stdout)["checkpoint"]
    if (proven["size"], base64.b64decode(proven["root"])) != (head.size, head.root):
        return _wrong(f"the public has seen another tree of {head.size} entries than the restored one")
    sentence = f"amply-verify: {head.size} entries, signed by {', '.join(proven['signers'])}, the same root"
    return Finding(check="published", verdict=Verdict.RIGHT, sentence=sentence)


def _verifier() -> str:
    beside = Path(sys.executable).with_name("amply-verify")
    found = str(beside) if beside.exists() else shutil.which("amply-verify")
    if found is None:
        raise NotChecked("amply-verify is not installed here: make setup, or pip install amply-verify.")
    return found


def _wrong(sentence: str) -> Finding:
    return Finding(check="published", verdict=Verdict.WRONG, sentence=sentence)
