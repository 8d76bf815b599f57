"""What receivers of anonymised data ask: is this release what its certificate says?"""

import click

from amply_verify.certificate_check import check_certificate
from amply_verify.certificate_words import say_certificate
from amply_verify.reporting import json_option, key_option, report, with_examples


@click.command(
    epilog=with_examples(
        "amply-verify certificate certificate --key certificates-key.txt --data part-000001.csv",
        "amply-verify certificate certificate --key certificates-key.txt --previous last-month/certificate",
    )
)
@click.argument("file")
@key_option
@click.option(
    "--data",
    multiple=True,
    metavar="FILE",
    help="A file of the release, to be held against the certificate and counted again; may be repeated.",
)
@click.option("--previous", metavar="FILE", help="The certificate before, which this one must follow on.")
@json_option
def certificate(
    file: str, key: tuple[str, ...], data: tuple[str, ...], previous: str | None, *, as_json: bool
) -> None:
    """Check the certificate FILE of a release of anonymised data (- for standard input), without any network.

    The key is the one that certificates are signed with, not the log's. With --data, each file must be one that was
    certified, and its k, l and t are counted again: CSV always, Parquet where pyarrow is installed.
    """
    report(
        file,
        lambda: say_certificate(check_certificate(file, key, data=data, previous=previous)),
        as_json=as_json,
    )
