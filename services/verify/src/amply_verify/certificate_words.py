"""What a certificate proves: as lines for people, and as a document for programs."""

from typing import Any

from amply_verify.certificate_check import CheckedCertificate
from amply_verify.words import Proven
from ledger_format.certificates import Part


def say_certificate(checked: CheckedCertificate) -> Proven:
    """Say what a verified certificate proves."""
    certificate = checked.verified.certificate
    return Proven(
        lines=(
            ("release", f"number {certificate.release} of {certificate.dataset} to {certificate.buyer}"),
            ("issued", f"{certificate.issued_at:%Y-%m-%d %H:%M:%S} UTC"),
            ("k", f"{certificate.k}: each row is one of at least so many people's"),
            *(
                [("l", f"{certificate.l}: so many values are in each class")]
                if certificate.l is not None
                else []
            ),
            *(
                [("t", f"{certificate.t}: so far is a class at most from its file")]
                if certificate.t is not None
                else []
            ),
            ("rows", str(certificate.rows)),
            *(line for part in certificate.parts for line in _part_lines(part, checked)),
            ("certificate before", _before(checked)),
            ("signed by", ", ".join(checked.verified.signers)),
        ),
        document={
            "dataset": certificate.dataset,
            "buyer": certificate.buyer,
            "release": certificate.release,
            "issued_at": f"{certificate.issued_at:%Y-%m-%dT%H:%M:%SZ}",
            "sha256": checked.sha256,
            "previous": certificate.previous,
            "previous_checked": checked.previous,
            "k": certificate.k,
            "l": certificate.l,
            "t": certificate.t,
            "rows": certificate.rows,
            "parts": [_part_document(part, checked) for part in certificate.parts],
            "signers": list(checked.verified.signers),
        },
        limits=_limits(checked),
        not_checked=checked.not_counted,
    )


def _part_lines(part: Part, checked: CheckedCertificate) -> list[tuple[str, str]]:
    return [
        ("file", f"{part.file}, {part.rows} rows of {part.people} people, {_looked_at(part, checked)}"),
        ("policy", f"{part.policy} ({part.policy_sha256}), k {part.demanded_k}, l {part.demanded_l}"),
        (
            "loss",
            f"{part.loss}; {part.suppressed} of {part.rows_in} rows left out, {part.suppression_limit} allowed",
        ),
    ]


def _looked_at(part: Part, checked: CheckedCertificate) -> str:
    if part.file in checked.counted:
        return "hash right, k, l and t counted again"
    return "hash right" if part.file in checked.files else "not given"


def _before(checked: CheckedCertificate) -> str:
    previous = checked.verified.certificate.previous
    if previous is None:
        return "none: this is the first"
    return f"{previous}, {'which is the one given' if checked.previous else 'not given (--previous)'}"


def _part_document(part: Part, checked: CheckedCertificate) -> dict[str, Any]:
    return {
        "file": part.file,
        "sha256": part.sha256,
        "rows": part.rows,
        "people": part.people,
        "k": part.k,
        "l": part.l,
        "t": part.t,
        "loss": part.loss,
        "policy": part.policy,
        "policy_sha256": part.policy_sha256,
        "file_checked": part.file in checked.files,
        "rows_counted": part.file in checked.counted,
    }


def _limits(checked: CheckedCertificate) -> str:
    parts = checked.verified.certificate.parts
    missing = "" if len(checked.files) == len(parts) else "what is in the files that were not given, or "
    return (
        f"It does not prove {missing}that the source was true, that a pseudonym stands for one person, or that somebody who "
        "knows more of a person learns nothing."
    )
