"""Where messages may be sent: the form of an endpoint's URL, and which IP addresses are the public internet's. Pure.

Whoever registers an endpoint has us send requests from inside. So nothing that is private, loopback, link-local (the
cloud's metadata service), shared or reserved is spoken to, in whatever form of IPv6 it is wrapped.
"""

from __future__ import annotations

import ipaddress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final
from urllib.parse import SplitResult, urlsplit

from chalicelib.kernel.errors import DomainError, invalid

MAX_URL: Final = 500
# The special-purpose registries of IANA, and multicast. Python's own lists differ between its patch versions.
_NOT_PUBLIC_V4: Final = tuple(
    map(
        IPv4Network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
            *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
            *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        ),
    )
)
_UNICAST_V6: Final = IPv6Network("2000::/3")
_NOT_PUBLIC_V6: Final = tuple(
    map(
        IPv6Network,
        # Protocols (Teredo among them), documentation, 6to4, documentation.
        ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
)
_NAT64: Final = IPv6Network("64:ff9b::/96")
_NOT_OURS: Final = ("localhost", "local", "internal", "localdomain")
"""Last labels of names that the public internet does not have."""

Address = IPv4Address | IPv6Address


def check_url(url: str, *, allows_loopback: bool, pointer: str = "/url") -> str:
    """The URL as it is kept. Raises webhook_endpoint.url (422): https, a host of the public internet, no user name and
    no fragment. `allows_loopback`: http and https to this machine are good too (the local stack)."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _refused("This is no URL.", pointer) from None
    if len(url) > MAX_URL or not url.isascii() or any(letter <= " " or letter in '\\"<>^`{|}\x7f' for letter in url):
        raise _refused(f"A URL has {MAX_URL} ASCII characters at most, and no spaces.", pointer)
    if "@" in parts.netloc or "#" in url or not host or port == 0:
        raise _refused("A URL has a host, no user name and no fragment.", pointer)
    if allows_loopback and parts.scheme in ("http", "https") and is_loopback_host(host):
        return url
    if parts.scheme != "https":
        raise _refused("Messages are sent by https alone.", pointer)
    _check_host(parts, host, pointer)
    return url


def is_loopback_host(host: str) -> bool:
    address = _address(host)
    return host == "localhost" if address is None else address.is_loopback


def is_public(text: str) -> bool:
    """Whether an address is one of the public internet. False for what is no address."""
    address = _address(text)
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped
        if inner is None and address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is None:
            return address in _UNICAST_V6 and not any(address in network for network in _NOT_PUBLIC_V6)
        address = inner
    return address is not None and not any(address in network for network in _NOT_PUBLIC_V4)


def _check_host(parts: SplitResult, host: str, pointer: str) -> None:
    address = _address(host)
    if address is not None:
        if not is_public(host):
            raise _refused("This address is not one of the public internet.", pointer)
        return
    labels = host.removesuffix(".").split(".")
    # What is all digits at the end is an address in a form that resolvers know (127.1, 0x7f000001).
    is_numeric = labels[-1].isdigit() or labels[-1].startswith("0x")
    if len(labels) < 2 or labels[-1] in _NOT_OURS or is_numeric or not all(labels) or ":" in host:
        raise _refused("This host is not one of the public internet.", pointer)


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _refused(detail: str, pointer: str) -> DomainError:
    return invalid("webhook_endpoint.url", detail, pointer)
