"""Binds a session to the client's network, for people who choose so."""

import ipaddress
from typing import Final

from amply.modules.people.domain import IpBinding
from amply.modules.people.sealing import PeopleKey

_NETWORK_BITS: Final = {4: 24, 6: 48}
"""Prefix lengths of a network that stays the same while addresses change (RFC 6177)."""


def binding_of(key: PeopleKey, binding: IpBinding, address: str) -> str:
    """Keyed digest of what a session is bound to; empty if to nothing."""
    if binding is IpBinding.NONE:
        return ""
    held_to = address if binding is IpBinding.STRICT else _network_of(address)
    return key.place_of(f"{binding}\0{held_to}")


def _network_of(address: str) -> str:
    try:
        version = ipaddress.ip_address(address).version
    except ValueError:
        return address
    return str(ipaddress.ip_network(f"{address}/{_NETWORK_BITS[version]}", strict=False))
