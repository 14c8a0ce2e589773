"""Where messages may go: the public internet, in no disguise anything else."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.errors import DomainError
from chalicelib.webhooks.model import check_url, is_public

PRIVATE = [
    *("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "127.0.0.1", "127.255.0.9", "0.0.0.0", "0.1.2.3"),
    *("169.254.169.254", "169.254.0.1", "100.64.0.1", "192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.7"),
    *("203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1"),
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::200e"]


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_the_public_internet_is_refused(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_is_not(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("text", ["", "localhost", "1.2.3", "0x7f000001", "1.1.1.1/32", "127.1"])
def test_what_is_no_address_is_not_public(text: str) -> None:
    assert not is_public(text)


def wrapped(inner: ipaddress.IPv4Address) -> list[str]:
    """The forms of IPv6 that carry an IPv4 address."""
    number = int(inner)
    return [
        f"::ffff:{inner}",
        f"::ffff:{number >> 16:x}:{number & 0xFFFF:x}",
        f"64:ff9b::{inner}",
        f"64:ff9b:1::{inner}",
        f"2002:{number >> 16:x}:{number & 0xFFFF:x}::1",
        f"2001:0:4136:e378:8000:63bf:{(number >> 16) ^ 0xFFFF:x}:{(number & 0xFFFF) ^ 0xFFFF:x}",
        f"::{inner}",
    ]


@given(st.sampled_from([each for each in PRIVATE if ":" not in each]))
def test_no_wrapping_makes_a_private_address_public(address: str) -> None:
    assert not any(map(is_public, wrapped(ipaddress.IPv4Address(address))))


def test_a_mapped_or_translated_public_address_is_what_it_stands_for() -> None:
    assert is_public("::ffff:1.1.1.1")
    assert is_public("64:ff9b::1.1.1.1")


@given(st.ip_addresses())
def test_only_what_the_registries_call_global_is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    """By Python's lists, which are another reading of the same registries."""
    inner = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    if is_public(str(address)) and address not in ipaddress.ip_network("64:ff9b::/96"):
        assert (inner or address).is_global
        assert not (inner or address).is_multicast


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.customer.example/in",
        "https://hooks.customer.example:8443/in?tenant=1&x=%20",
        "https://1.1.1.1/in",
        "https://[2606:4700::1111]/in",
        "https://xn--bcher-kva.example/",
    ],
)
def test_a_url_that_is_good(url: str) -> None:
    assert check_url(url, allows_loopback=False) == url


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://hooks.customer.example/in",
            "ftp://hooks.customer.example/",
            "hooks.customer.example",
            "https://",
            "",
        ),
        *("https://user:secret@hooks.customer.example/", "https://hooks.customer.example/#part", "https:///in"),
        *(
            "https://localhost/in",
            "https://intern/in",
            "https://db.internal/",
            "https://printer.local/",
            "https://a..b/",
        ),
        *("https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest", "https://[::ffff:10.0.0.1]/"),
        *("https://0x7f000001/", "https://2130706433/", "https://127.1/", "https://10.1/", "https://a.0x7f/"),
        *("https://hooks.customer.example:0/", "https://hooks.customer.example:99999/", "https://[::1/"),
        *("https://hooks.customer.example/a b", "https://hooks.customer.example/\r\nX: y", "https://bücher.example/"),
        *("https://hooks.customer.example\\@evil.example/", "https://hooks.customer.example/" + "a" * 500),
    ],
)
def test_a_url_that_is_not(url: str) -> None:
    with pytest.raises(DomainError, match=r"webhook_endpoint\.url"):
        check_url(url, allows_loopback=False)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000/in", "http://localhost:9000/", "https://[::1]:9000/"])
def test_loopback_is_good_where_it_is_allowed_and_nothing_else_is_by_that(url: str) -> None:
    assert check_url(url, allows_loopback=True) == url
    for other in ("http://10.0.0.1/", "http://hooks.customer.example/", "https://192.168.0.1/"):
        with pytest.raises(DomainError):
            check_url(other, allows_loopback=True)
