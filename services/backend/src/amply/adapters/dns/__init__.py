"""DNS lookups by dnspython, through this machine's configured resolver."""

from collections.abc import Sequence
from typing import Final

import dns.exception
import dns.resolver
import structlog

from amply.infra.database import forbid_transaction
from amply.modules.federation import RecordsAway

_SECONDS_MAX: Final = 4.0
_RECORDS_MAX: Final = 100

_log = structlog.get_logger()


class DnsRecords:
    """Implements `federation.DomainRecords`. Uses the machine's resolver unless given one."""

    def __init__(self, resolver: dns.resolver.Resolver | None = None) -> None:
        self._resolver = resolver

    def texts(self, name: str) -> Sequence[str]:
        forbid_transaction("dns: texts")
        try:
            resolver = self._resolver or dns.resolver.Resolver()
            answer = resolver.resolve(f"{name}.", "TXT", lifetime=_SECONDS_MAX, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return ()
        except (dns.exception.DNSException, OSError) as error:
            _log.warning("dns_away", error=type(error).__name__)
            raise RecordsAway from error
        found = list(answer)[:_RECORDS_MAX]
        return [b"".join(each.strings).decode("utf-8", "replace") for each in found]
