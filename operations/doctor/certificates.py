"""What a secret for SIP over TLS holds: a private key, and the certificate that goes with it."""

from __future__ import annotations

import re

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key


class NotACertificate(Exception):
    """What is there instead, in words that hold nothing of it."""


def read(pem: str) -> x509.Certificate:
    """The first certificate. Raises NotACertificate."""
    certificates = re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", pem, re.DOTALL)
    keys = re.findall(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", pem, re.DOTALL)
    if not certificates:
        raise NotACertificate("no certificate")
    if not keys:
        raise NotACertificate("no private key")
    try:
        found = x509.load_pem_x509_certificate(certificates[0].encode())
        key = load_pem_private_key(keys[0].encode(), password=None)
    except (ValueError, TypeError):
        raise NotACertificate("a key or a certificate that cannot be read") from None
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if key.public_key().public_bytes(*form) != found.public_key().public_bytes(*form):
        raise NotACertificate("a key that is not that of its first certificate")
    return found


def names(certificate: x509.Certificate, host: str) -> bool:
    """Whether it is for that host: by its alternative names alone, one star for the first label (RFC 6125)."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    wanted = host.lower()
    star = "*." + wanted.partition(".")[2]
    return bool({name.lower() for name in found.get_values_for_type(x509.DNSName)} & {wanted, star})
