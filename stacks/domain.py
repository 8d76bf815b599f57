"""Host names of an environment with a domain of its own."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class DomainSettings:
    """Permanent host names; `apex` is a zone of its own, delegated once by its parent."""

    apex: str
    dmarc: Literal["none", "quarantine", "reject"]
    """What receivers do with mail that claims to be ours and is not: `none` only until the reports are clean."""
    reports: str
    """Where receivers' DMARC reports and certificate authorities' CAA reports go."""

    @property
    def site(self) -> str:
        return self.apex

    @property
    def api(self) -> str:
        return f"api.{self.apex}"

    @property
    def log(self) -> str:
        return f"log.{self.apex}"

    @property
    def edge_hosts(self) -> tuple[str, ...]:
        """All host names of the distribution, the pages' own first."""
        return (self.site, f"www.{self.apex}", f"widgets.{self.apex}", self.log)
