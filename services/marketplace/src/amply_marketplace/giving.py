"""Issues download links under a grant: usage is recorded first, then the link is signed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from amply_marketplace.control_plane import ControlPlane
from amply_marketplace.datasets import File, Released
from amply_marketplace.grants import Grant
from amply_marketplace.links import Links
from amply_marketplace.metering import use


@dataclass(frozen=True, kw_only=True)
class Linked:
    file: File
    url: str
    until: datetime


def give(
    grant: Grant,
    released: Released,
    files: Sequence[File],
    *,
    control: ControlPlane,
    links: Links,
    now: datetime,
    name: str,
) -> list[Linked]:
    """A link to each of `files`. An answer that never arrives is paid for all the same: the other way round, links are free.

    Raises:
        NotGranted: The grant was revoked meanwhile.
        UsedUp: The contract's month has no room for them.
    """
    if files:
        control.write_down(use(grant, released, files, now=now, name=name))
    return [
        Linked(file=file, url=url, until=until)
        for file in files
        for url, until in [links.to(file.key, now=now, until=grant.ends())]
    ]
