"""Which address a request may go to."""

import pytest

from scheduler.errors import Refused
from scheduler.outgoing.addresses import Target, judged, refusal, target_of
from scheduler.settings.http_allowlist import Opened, opened

OUTSIDE = Target("https", "example.org", 443, "/")
NOTHING = Opened()


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://example.org", Target("https", "example.org", 443, "/")),
        ("HTTP://Example.org:8080/a/b?c=d#e", Target("http", "example.org", 8080, "/a/b?c=d")),
        ("http://192.0.2.1/", Target("http", "192.0.2.1", 80, "/")),
        ("http://[2001:db8::1]:81/x", Target("http", "2001:db8::1", 81, "/x")),
        ("https://example.org./?q=%20", Target("https", "example.org.", 443, "/?q=%20")),
        (
            "http://_srv.xn--bcher-kva.example/",
            Target("http", "_srv.xn--bcher-kva.example", 80, "/"),
        ),
    ],
)
def test_an_address_says_where_it_leads(url: str, target: Target) -> None:
    assert target_of(url) == target


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org",
        "ftp://example.org/",
        "file:///etc/passwd",
        "gopher://example.org:6379/_FLUSHALL",
        "javascript:alert(1)",
        "http://",
        "http:///path",
        "http://user:hunter2@example.org/",
        "http://example.org@127.0.0.1/",
        "http://exa mple.org/",
        "http://example.org/\r\nHost: evil",
        "http://example.org\\@127.0.0.1/",
        "http://example.org:0/",
        "http://example.org:65536/",
        "http://example.org:abc/",
        "http://[::1/",
        "http://[fe80::1%25eth0]/",
        "http://[v1.x]/",
        "http://bücher.example/",
        "http://ⓔxample.org/",
        "http://a..b/",
        "http://-a.example/",
        "http://" + "a" * 64 + ".example/",
        "http://" + "a." * 127 + "example/",
        "http://example.org/" + "x" * 2048,
    ],
)
def test_what_is_no_plain_address_is_refused(url: str) -> None:
    with pytest.raises(Refused) as refused:
        target_of(url)
    assert refused.value.field == "url"
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "017700000001",
        "0x7f.0x0.0x0.0x1",
        "1.2.3.0x4",
        "127.0.0.1.",
    ],
)
def test_an_ipv4_address_in_another_dress_is_refused(host: str) -> None:
    with pytest.raises(Refused, match="not a plain address"):
        target_of(f"http://{host}/")


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "127.8.8.8",
            "0.0.0.0",  # noqa: S104 - to be refused
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "169.254.169.254",
        ),
        *(
            "192.0.0.8",
            "192.0.0.192",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
        ),
        *("240.0.0.1", "255.255.255.255", "100.100.100.200"),
        *(
            "::",
            "::1",
            "fe80::1",
            "fe80::1%eth0",
            "fc00::1",
            "fd00:ec2::254",
            "fec0::1",
            "ff02::1",
            "ff0e::1",
        ),
        *("2001:db8::1", "3fff::1", "5f00::1", "100::1", "2001:2::1", "4000::1"),
    ],
)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert "not an address of the public internet" in str(refusal(address, OUTSIDE, NOTHING))


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("::ffff:127.0.0.1", "IPv4-mapped"),
        ("::ffff:8.8.8.8", "IPv4-mapped"),
        ("::127.0.0.1", "IPv4-compatible"),
        ("::ffff:0:7f00:1", "IPv4-translated"),
        ("64:ff9b::7f00:1", "NAT64"),
        ("64:ff9b::808:808", "NAT64"),
        ("64:ff9b:1::a9fe:a9fe", "NAT64"),
        ("2002:7f00:1::", "6to4"),
        ("192.88.99.1", "6to4"),
        ("2001:0:7f00:1::", "Teredo"),
        ("2a00:1450::5efe:7f00:1", "ISATAP"),
        ("2a00:1450::200:5efe:7f00:1", "ISATAP"),
    ],
)
def test_an_address_that_stands_for_another_is_refused(address: str, kind: str) -> None:
    assert str(refusal(address, OUTSIDE, NOTHING)).endswith(f"stands for another address ({kind})")


def test_the_host_under_a_machine_of_azure_is_refused_though_its_number_is_public() -> None:
    assert "metadata" in str(refusal("168.63.129.16", OUTSIDE, NOTHING))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.215.14", "2606:2800:21f:cb07::1", "2a00:1450:4001::8a"]
)
def test_public_addresses_may_be_asked(address: str) -> None:
    assert refusal(address, OUTSIDE, NOTHING) is None


@pytest.mark.parametrize("text", ["", "localhost", "8.8.8", "8.8.8.8/32"])
def test_what_is_no_address_is_refused(text: str) -> None:
    assert "is not an address" in str(refusal(text, OUTSIDE, NOTHING))


def test_a_name_with_public_addresses_may_be_asked() -> None:
    assert judged(["2606:2800::1", "8.8.8.8"], OUTSIDE, NOTHING) == ["2606:2800::1", "8.8.8.8"]


@pytest.mark.parametrize("addresses", [["8.8.8.8", "127.0.0.1"], ["10.0.0.1", "8.8.8.8"], []])
def test_one_inner_address_among_public_ones_closes_the_name(addresses: list[str]) -> None:
    with pytest.raises(Refused, match=r"https://example\.org:443: "):
        judged(addresses, OUTSIDE, NOTHING)


def test_the_setting_opens_a_place_and_no_other_port_or_name() -> None:
    inside = opened(["Intranet.example:8080", "[::1]:81"])
    assert refusal("10.0.0.1", Target("http", "intranet.example", 8080, "/"), inside) is None
    assert refusal("::1", Target("http", "::1", 81, "/"), inside) is None
    assert refusal("10.0.0.1", Target("http", "intranet.example", 8081, "/"), inside)
    assert refusal("10.0.0.1", Target("http", "other.example", 8080, "/"), inside)


def test_the_setting_opens_a_network_and_nothing_beside_it() -> None:
    inside = opened(["10.1.0.0/16", "fd00::/8", "127.0.0.1"])
    for address in ("10.1.255.255", "fd12::1", "127.0.0.1"):
        assert refusal(address, OUTSIDE, inside) is None
    for address in ("10.2.0.0", "fe80::1", "127.0.0.2", "::ffff:10.1.0.1"):
        assert refusal(address, OUTSIDE, inside)


@pytest.mark.parametrize(
    "entry", ["intranet", "http://intranet:80", "intranet:0", "intranet:65536", "10.1.0.1/16", "*"]
)
def test_an_entry_that_opens_nothing_is_refused_by_name(entry: str) -> None:
    with pytest.raises(ValueError, match="neither host:port nor a network") as refused:
        opened([entry])
    assert entry in str(refused.value)
