"""Options of TLS in an address, in the spelling of redis-py, kombu, Celery and py-amqp. Pure.

A certificate is verified, with the name of the host, unless an option switches that off by name.
"""

import ssl
from dataclasses import dataclass
from typing import Any

from scheduler.storage.addresses.parts import AddressFault, yes_or_no

_VERIFY = {
    "required": ssl.CERT_REQUIRED,
    "optional": ssl.CERT_OPTIONAL,
    "none": ssl.CERT_NONE,
}
_FILES = ("ca_certs", "ca_path", "certfile", "keyfile")
_TEXTS = (*_FILES, "password", "ciphers")
_NAMES = (*_TEXTS, "cert_reqs", "check_hostname", "min_version")
_VERSIONS = {
    "TLSV1.2": ssl.TLSVersion.TLSv1_2,
    "TLSV1_2": ssl.TLSVersion.TLSv1_2,
    "771": ssl.TLSVersion.TLSv1_2,
    "TLSV1.3": ssl.TLSVersion.TLSv1_3,
    "TLSV1_3": ssl.TLSVersion.TLSv1_3,
    "772": ssl.TLSVersion.TLSv1_3,
}

OPTIONS = frozenset(
    {f"ssl_{name}" for name in _NAMES} | (set(_NAMES) - {"password", "min_version"})
)
"""Names of options, as `ssl_ca_certs` (redis-py, kombu, Celery) and as `ca_certs` (py-amqp)."""


@dataclass(frozen=True)
class Tls:
    """How the server's certificate is verified, and which certificate the client shows."""

    verify: ssl.VerifyMode = ssl.CERT_REQUIRED
    check_hostname: bool = True
    min_version: ssl.TLSVersion | None = None
    texts: tuple[tuple[str, str], ...] = ()
    """Options that are texts, without `ssl_`: files, the key's password, ciphers."""

    @property
    def is_verified(self) -> bool:
        """Whether the server must prove who it is, by a certificate for the host's name."""
        return self.verify != ssl.CERT_NONE and self.check_hostname

    @property
    def files(self) -> dict[str, str]:
        """The named files and folders, by the option."""
        return {f"ssl_{name}": text for name, text in self.texts if name in _FILES}

    def for_redis(self) -> dict[str, Any]:
        """Return the options as redis-py, kombu and Celery take them."""
        options: dict[str, Any] = {f"ssl_{name}": text for name, text in self.texts}
        options["ssl_cert_reqs"] = self.verify
        options["ssl_check_hostname"] = self.check_hostname and self.verify != ssl.CERT_NONE
        if self.min_version is not None:
            options["ssl_min_version"] = self.min_version
        return options

    def for_query(self) -> dict[str, str]:
        """Return the options as texts, for an address that redis-py reads."""
        verify = {mode: name for name, mode in _VERIFY.items()}[self.verify]
        options = {f"ssl_{name}": text for name, text in self.texts} | {"ssl_cert_reqs": verify}
        if not self.check_hostname:
            options["ssl_check_hostname"] = "false"
        if self.min_version is not None:
            options["ssl_min_version"] = str(int(self.min_version))
        return options

    def for_amqp(self, host: str) -> dict[str, Any]:
        """Return the options as py-amqp takes them.

        `host` is that of the address. kombu puts it in place of a `server_hostname` of None, but
        for `localhost`, where it connects to 127.0.0.1 and would look for that in the certificate.
        """
        options: dict[str, Any] = {
            name: text
            for name, text in self.texts
            if name in ("ca_certs", "certfile", "keyfile", "ciphers")
        }
        options["cert_reqs"] = self.verify
        if self.is_verified:
            options["server_hostname"] = host if host == "localhost" else None
        if self.min_version is not None:
            options["tls_minimum_version"] = self.min_version
        return options


def read(options: dict[str, str]) -> Tls:
    """Return the TLS of an address. Options of other kinds are left alone. Raises AddressFault."""
    values = _by_name(options)
    verify = values.get("cert_reqs", "required").lower().removeprefix("cert_")
    if verify not in _VERIFY:
        raise AddressFault(
            "ssl_cert_reqs is none of required, optional and none (or CERT_REQUIRED, "
            "CERT_OPTIONAL, CERT_NONE)"
        )
    version = values.get("min_version")
    if version is not None and version.upper() not in _VERSIONS:
        raise AddressFault("ssl_min_version is neither TLSv1.2 nor TLSv1.3")
    return Tls(
        _VERIFY[verify],
        yes_or_no(values.get("check_hostname", "true"), "ssl_check_hostname"),
        None if version is None else _VERSIONS[version.upper()],
        tuple((name, values[name]) for name in _TEXTS if values.get(name)),
    )


def is_named_in(options: dict[str, str]) -> bool:
    """Whether an option of TLS stands in an address."""
    return bool(options.keys() & OPTIONS)


def _by_name(options: dict[str, str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for option in sorted(options.keys() & OPTIONS):
        name = option.removeprefix("ssl_")
        if values.setdefault(name, options[option]) != options[option]:
            raise AddressFault(f"ssl_{name} and {name} stand in it with different values")
    return values
