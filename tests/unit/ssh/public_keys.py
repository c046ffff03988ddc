"""Public keys as OpenSSH writes them, made anew."""

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

Private = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

CURVES = [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()]


def line_of(private: Private) -> str:
    """Return the line of its .pub file, without a comment."""
    return private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def another_key() -> str:
    """Return one that nobody has."""
    return line_of(ec.generate_private_key(CURVES[0]))


ED25519 = line_of(ed25519.Ed25519PrivateKey.generate())
RSA_3072 = line_of(rsa.generate_private_key(65537, 3072))
RSA_2048 = line_of(rsa.generate_private_key(65537, 2048))
