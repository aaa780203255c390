"""Addresses: read once, in the form of each library; a mistake never becomes another host."""

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kombu.utils.url import parse_url
from redis.connection import parse_url as redis_parts

from scheduler.settings.validation import unusable
from scheduler.storage.addresses import broker, redis_address, sql_address
from scheduler.storage.addresses.masking import without_password
from scheduler.storage.addresses.parts import AddressFault

MISTAKES = {
    "redis://:pa#ss@127.0.0.1:6390/0": "percent-encoded",
    "redis://app:p@ss/w:rd@127.0.0.1:6390/3": "percent-encoded",
    "redis://:pa[ss@127.0.0.1:6390/0": "percent-encoded",
    "redis://:hu?sh@127.0.0.1:6390/0": "percent-encoded",
    "redis://:hu?pass=sh@127.0.0.1:6390/0": "percent-encoded",
    "redis://app:hush/x@127.0.0.1:6390/0": "percent-encoded",
    "redis://app@h:1/0?hush=@x": "percent-encoded",
    "redis://app:hush": "port",
    "redis://127.0.0.1:port/0": "port",
    "redis://127.0.0.1:70000/0": "port",
    "redis://127.0.0.1:6390/main": "the database",
    "redis://127.0.0.1:6390/0?db=main": "the database",
    "redis://127.0.0.1:6390/2?db=3": "two databases",
    "redis://127.0.0.1:6390/0?foo=bar": "'foo'",
    "redis://127.0.0.1:6390/0?db=1&db=2": "twice",
    "redis://127.0.0.1:6390/0?ssl_ca_certs=x": "rediss://",
    "rediss://127.0.0.1:6390/0?ssl_cert_reqs=maybe": "ssl_cert_reqs",
    "rediss://127.0.0.1:6390/0?ssl_check_hostname=maybe": "ssl_check_hostname",
    "rediss://127.0.0.1:6390/0?ssl_min_version=SSLv3": "ssl_min_version",
    "redis://127.0.0.1:6390/0?socket_timeout=soon": "socket_timeout",
    "redis:// 127.0.0.1": "a blank",
    "redis://one two": "a blank",
    "redis://ho!st": "host",
    "unix://run/redis.sock": "third /",
    "unix://": "path of the socket",
}


@pytest.mark.parametrize("setting", ["redis_url", "broker_url", "result_backend"])
@pytest.mark.parametrize("address", MISTAKES)
def test_a_mistake_is_a_fault_of_the_setting_that_shows_no_password(
    address: str, setting: str
) -> None:
    fault = unusable(setting, address, "environment")
    assert fault is not None
    assert fault.name == f"BEATDESK_{setting.upper()}"
    assert MISTAKES[address] in str(fault) or "must start with" in str(fault)
    for part in ("pa#", "p@ss", "ss/w", "w:rd", "pa[", "hush", "hu?", "sh@"):
        assert part not in str(fault)


@pytest.mark.parametrize(
    ("address", "for_client", "for_kombu"),
    [
        ("redis://127.0.0.1:6390/3", "redis://127.0.0.1:6390/3", "redis://127.0.0.1:6390/3"),
        ("redis://h?db=3", "redis://h:6379/3", "redis://h:6379/3"),
        ("redis://", "redis://localhost:6379/0", "redis://localhost:6379/0"),
        ("redis://[::1]:1/", "redis://[::1]:1/0", "redis://[::1]:1/0"),
        ("redis://me@h", "redis://me@h:6379/0", "redis://me@h:6379/0"),
        ("redis://:a@b:c@h", "redis://:a%40b%3Ac@h:6379/0", "redis://:a%40b%3Ac@h:6379/0"),
        (
            "unix:///run/r.sock?db=2",
            "unix:///run/r.sock?db=2",
            "redis+socket:///run/r.sock?virtual_host=2",
        ),
        (
            "redis+socket:///r.sock?virtual_host=2",
            "unix:///r.sock?db=2",
            "redis+socket:///r.sock?virtual_host=2",
        ),
        (
            "unix://:p%40@/r.sock",
            "unix://:p%40@/r.sock?db=0",
            "redis+socket://:p%40@/r.sock?virtual_host=0",
        ),
    ],
)
def test_each_library_gets_its_own_form(address: str, for_client: str, for_kombu: str) -> None:
    found = redis_address.read(address)
    assert found.for_client == for_client
    assert found.for_kombu == for_kombu


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=30)
)
def test_an_encoded_password_reaches_every_library(password: str) -> None:
    from urllib.parse import quote

    address = f"redis://app:{quote(password, safe='')}@127.0.0.1:6390/3"
    found = redis_address.read(address)
    assert redis_parts(found.for_client)["password"] == password
    assert parse_url(found.for_kombu)["password"] == password
    assert redis_parts(found.for_client)["host"] == "127.0.0.1"


@given(st.text("ab1#/:?@%[]&=;.", min_size=1, max_size=12))
def test_a_password_as_it_was_typed_is_refused_or_never_becomes_the_host(password: str) -> None:
    address = f"redis://app:{password}@h.example:6390/3"
    try:
        found = redis_address.read(address)
    except AddressFault:
        found = None
    assert found is None or (found.host, found.port, found.db) == ("h.example", 6390, 3)
    assert without_password(address) == "redis://app:***@h.example:6390/3"


def test_tls_is_verified_unless_the_address_says_otherwise_by_name() -> None:
    for address in ("rediss://h/0", "rediss://h/0?ssl_cert_reqs=CERT_REQUIRED"):
        found = broker.read(address)
        assert found.use_ssl == {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True}
        assert redis_parts(redis_address.read(address).for_client)["ssl_cert_reqs"] == "required"
    for spelling in ("none", "CERT_NONE"):
        found = broker.read(f"rediss://h/0?ssl_cert_reqs={spelling}")
        assert found.use_ssl == {"ssl_cert_reqs": ssl.CERT_NONE, "ssl_check_hostname": False}
        assert found.tls is not None
        assert not found.tls.is_verified
    secure = broker.read("amqps://me:pw@h//?ca_certs=/ca.pem").use_ssl
    assert secure == {
        "ca_certs": "/ca.pem",
        "cert_reqs": ssl.CERT_REQUIRED,
        "server_hostname": None,
    }
    local = broker.read("amqps://me:pw@localhost//").use_ssl
    assert local is not None
    assert local["server_hostname"] == "localhost"
    assert broker.read("amqps://me:pw@h//?ssl_ca_certs=/ca.pem").use_ssl == secure


def test_each_option_reaches_each_library() -> None:
    address = (
        "rediss://h/0?ssl_check_hostname=no&ssl_min_version=TLSv1.3&socket_timeout=2.5"
        "&socket_keepalive=yes"
    )
    found = broker.read(address)
    assert found.use_ssl == {
        "ssl_cert_reqs": ssl.CERT_REQUIRED,
        "ssl_check_hostname": False,
        "ssl_min_version": ssl.TLSVersion.TLSv1_3,
    }
    assert found.transport_options == {"socket_timeout": 2.5, "socket_keepalive": True}
    options = redis_parts(redis_address.read(address).for_client)
    assert options["ssl_check_hostname"] is False
    assert options["ssl_min_version"] == ssl.TLSVersion.TLSv1_3
    assert (options["socket_timeout"], options["socket_keepalive"]) == (2.5, True)


@pytest.mark.parametrize(
    ("address", "for_limits"),
    [("redis://h:1/2", "redis://h:1/2"), ("unix:///r.sock", "redis+unix:///r.sock?db=0")],
)
def test_the_storage_of_limits_gets_its_own_form(address: str, for_limits: str) -> None:
    assert redis_address.read(address).for_limits == for_limits


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("rediss://a/0;redis://b/0", "differ in their TLS"),
        ("rediss://a/0;rediss://b/0?ssl_cert_reqs=none", "differ in their TLS"),
        ("amqp://me:pw@h//?ca_certs=/ca.pem", "amqps://"),
        ("rediss://h/0?ssl_ca_certs=a&ca_certs=b", "different values"),
    ],
)
def test_options_that_would_not_be_kept_are_refused(address: str, fault: str) -> None:
    with pytest.raises(AddressFault, match=fault):
        broker.read(address)


@pytest.mark.parametrize(
    "address",
    [
        "amqp://guest:guest@localhost:5672//",
        "amqp://",
        "amqp://h/vhost?heartbeat=5",
        "memory://",
        "redis://a:1/0;redis://b:2/0",
        "sqs://a:b@",
        "claiming+redis://a",
    ],
)
def test_addresses_of_other_brokers_stay_as_they_are(address: str) -> None:
    assert broker.read(address).url == address


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("postgresql://app:p@ss/w:rd@host/db", "percent-encoded"),
        ("postgresql://me:hu@sh@host/d", "percent-encoded"),
        ("postgresql://me:hush@host:port/d", "port"),
        ("postgres://me:hush@ho st/d", "percent-encoded"),
    ],
)
def test_a_mistake_in_an_address_of_sql_shows_no_password(address: str, fault: str) -> None:
    for setting in ("database_url", "report_dsn", "cleanup_dsn"):
        found = unusable(setting, address, "environment")
        assert found is not None
        assert fault in str(found)
        assert not any(part in str(found) for part in ("hu", "p@ss", "w:rd", "sh@"))


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://beatdesk@h/d",
        "postgresql://me:pa#s/s?@h:5432/d?sslmode=require",
        "postgresql+psycopg://me:p%40@[::1]:1/d",
        "postgresql:///d?host=/run/postgresql",
        "postgresql://me:p@/d?host=a,b",
        "sqlite:///x@y",
        "sqlite://",
    ],
)
def test_good_addresses_of_sql_pass(address: str) -> None:
    sql_address.check(address)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("redis://app:p@ss/w:rd@h:1/3", "redis://app:***@h:1/3"),
        ("redis://:pa#ss@h:1", "redis://:***@h:1"),
        ("redis://p@ss/w:rd@h:1", "redis://***@h:1"),
        ("redis://app:hush", "redis://***"),
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        ("rediss://h/0?ssl_password=a#b&db=1", "rediss://h/0?ssl_password=***&db=1"),
        ("sentinel://:a;b@h:1/0;sentinel://i:2", "sentinel://:***@h:1/0;sentinel://i:2"),
        ("redis+socket://:hush@/run/r.sock", "redis+socket://:***@/run/r.sock"),
        ("redis://:a@h:1/0;redis://me:b@i:2/0", "redis://:***@h:1/0;redis://me:***@i:2/0"),
    ],
)
def test_no_part_of_a_password_is_shown(address: str, shown: str) -> None:
    assert without_password(address) == shown
