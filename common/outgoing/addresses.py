"""Which addresses a request may go to whose URL somebody else has given us.

Only what is of the public internet, so that nobody makes us ask what stands beside us: loopback, private and
link-local networks, those of carriers (CGNAT), the metadata services of clouds, and what leads to one of
these in another form (IPv4 in IPv6, NAT64, 6to4, Teredo).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_GLOBAL_IPV6 = ipaddress.IPv6Network("2000::/3")
"""All that is handed out of IPv6; what lies outside is local, or carries IPv4."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NOBODYS = tuple(
    map(
        ipaddress.ip_network,
        (
            "100.64.0.0/10",  # CGNAT; the metadata service of one cloud is in it
            "168.63.129.16/32",  # the host of virtual machines of another cloud
            "192.0.0.0/24",
            "192.88.99.0/24",  # 6to4 relays
            "198.18.0.0/15",
            "2001::/23",  # Teredo and other protocols
            "2001:db8::/32",
            "2002::/16",  # 6to4
            "3fff::/20",
            "5f00::/16",
        ),
    )
)


def is_public(address: Address) -> bool:
    """Whether it is one of the public internet."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in _NAT64:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if address not in _GLOBAL_IPV6:
            return False
    if address.is_multicast or address.is_reserved or not address.is_global:
        return False
    return not _within(address, _NOBODYS)


def is_allowed(address: Address, networks: Iterable[Network] = ()) -> bool:
    """Whether it is public, or lies in one of the `networks` that were configured."""
    plain = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return is_public(address) or _within(plain or address, networks)


def _within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address.version == each.version and address in each for each in networks)
