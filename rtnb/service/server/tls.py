"""TLS for clients that insist on it: a certificate of this service's own, made at its start and gone with it."""

from __future__ import annotations

import contextlib
import ipaddress
import ssl
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.x509 import GeneralName

_VALID_DAYS = 30
_CLOCK_SLACK = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate to serve with."""

    certificate: Path  # PEM file, for clients to trust
    context: ssl.SSLContext  # has the key, which is in no file any more


@contextlib.contextmanager
def identity(hosts: Sequence[str]) -> Iterator[Identity]:
    """Make a certificate for these addresses and names, in a private temporary folder that is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="rtnb-tls-") as folder:  # mode 0700
        certificate, key = Path(folder, "certificate.pem"), Path(folder, "key.pem")
        pem, key_pem = self_signed(hosts, datetime.now(UTC))
        certificate.write_bytes(pem)
        key.touch(0o600)
        key.write_bytes(key_pem)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
        key.unlink()
        yield Identity(certificate, context)


def self_signed(hosts: Sequence[str], now: datetime) -> tuple[bytes, bytes]:
    """Return a self-signed certificate for these hosts and its key, both PEM; valid from an hour ago for thirty days."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "rtnb local realtime service")])
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    usage = dict.fromkeys(
        ("content_commitment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign", "encipher_only"),
        False,
    )
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.SubjectAlternativeName([_general_name(host) for host in hosts]), False),
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (
            x509.KeyUsage(digital_signature=True, key_encipherment=False, decipher_only=False, **usage),
            True,
        ),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (identifier, False),
        (x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), False),
    ]
    builder = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SLACK)
        .not_valid_after(now + timedelta(days=_VALID_DAYS))
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return builder.sign(key, hashes.SHA256()).public_bytes(pem), secret


def _general_name(host: str) -> GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
