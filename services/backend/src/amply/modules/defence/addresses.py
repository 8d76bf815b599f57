"""A client's IP address, and the network that one customer of a provider has."""

import ipaddress
from typing import Final

_PRIVATE: Final = tuple(
    ipaddress.ip_network(text)
    for text in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")
)


def address_and_network(text: str) -> tuple[str, str] | None:
    """A client's IP address, and its network as large as one provider's customer has; None if there is no address.

    IPv4: the address and its /24. IPv6: its /64, which is one household's, and its /48. None for what is no address, or of
    a private network: where strangers' addresses are not seen, nobody is told from anybody by them.
    """
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if any(found in network for network in _PRIVATE):
        return None
    own, wider = (32, 24) if found.version == 4 else (64, 48)  # noqa: PLR2004 -- the versions of IP
    return tuple(  # type: ignore[return-value] # two of them
        str(ipaddress.ip_network(f"{found}/{bits}", strict=False)) for bits in (own, wider)
    )
