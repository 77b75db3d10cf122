"""The certificate that is made for one run."""

from __future__ import annotations

import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from rtnb.service.server.tls import identity, self_signed

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOSTS = ("localhost", "127.0.0.1", "::1", "study.local")


def test_the_certificate_names_every_host():
    """It is self-signed, holds for exactly these addresses and names, and is valid now and not for long."""
    certificate = x509.load_pem_x509_certificate(self_signed(HOSTS, NOW)[0])
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "study.local"]
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]
    assert certificate.issuer == certificate.subject
    assert certificate.not_valid_before_utc < NOW < certificate.not_valid_after_utc < NOW + timedelta(days=60)
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    certificate.verify_directly_issued_by(certificate)


@pytest.mark.parametrize("flags", [0, ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_client_that_trusts_it_shakes_hands(host, flags):
    """A default client context with the file as its authority accepts it, also as strictly as Python 3.13 does."""
    with identity(HOSTS) as own:
        context = ssl.create_default_context(cafile=str(own.certificate))
        context.verify_flags |= flags
        shake_hands(context, own.context, host)


def test_a_client_that_does_not_trust_it_refuses():
    """Without the file no client takes it."""
    with identity(HOSTS) as own, pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(ssl.create_default_context(), own.context, "127.0.0.1")


def look_into(own):
    """Look at what is there while the certificate is in use, and break off."""
    folder = own.certificate.parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [each.name for each in folder.iterdir()] == ["certificate.pem"]
    assert b"PRIVATE" not in own.certificate.read_bytes()
    raise KeyError(str(folder))


def test_nothing_is_left_and_no_key_is_ever_there():
    """The folder is private, holds the certificate and no key, and is gone at the end, also after an error."""
    with pytest.raises(KeyError) as broken, identity(HOSTS) as own:
        look_into(own)
    assert not Path(broken.value.args[0]).exists()


def shake_hands(client_context, server_context, host):
    """Hold a TLS handshake in memory."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname=host)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    waiting = [client, server]
    for _ in range(10):
        for side in list(waiting):
            try:
                side.do_handshake()
                waiting.remove(side)
            except ssl.SSLWantReadError:
                pass
        if not waiting:
            return
    raise AssertionError("no handshake in ten rounds")
