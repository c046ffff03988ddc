"""Which public keys may be let in, and why another may not."""

import base64
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from allerac.errors import InvalidInput
from allerac.ssh import read_key

from .public_keys import CURVES, ED25519, RSA_2048, RSA_3072, line_of


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (ED25519, "Ed25519"),
        (RSA_3072, "RSA 3072"),
        *((line_of(ec.generate_private_key(curve)), f"ECDSA {curve.key_size}") for curve in CURVES),
    ],
    ids=["Ed25519", "RSA", *(curve.name for curve in CURVES)],
)
def test_a_good_key_is_taken_with_its_comment(line: str, kind: str) -> None:
    key = read_key(f"  {line} Ana's laptop, the old one \n")
    assert key.kind == kind
    assert key.comment == "Ana's laptop, the old one"
    assert key.line == f"{line} Ana's laptop, the old one"
    assert read_key(line).line == line


def test_the_fingerprint_is_the_one_that_ssh_keygen_shows(tmp_path: Path) -> None:
    file = tmp_path / "key.pub"
    file.write_text(f"{ED25519}\n")
    shown = subprocess.run(
        ["/usr/bin/ssh-keygen", "-lf", file], capture_output=True, text=True, check=True, timeout=20
    )
    assert shown.stdout.split()[1] == read_key(ED25519).fingerprint


def _dsa() -> str:
    parameters = dsa.generate_parameters(1024)
    numbers = parameters.generate_private_key().public_key().public_numbers()
    blob = b"".join(
        len(part).to_bytes(4, "big") + part
        for part in (
            b"ssh-dss",
            *(
                b"\0" + number.to_bytes((number.bit_length() + 7) // 8, "big")
                for number in (
                    numbers.parameter_numbers.p,
                    numbers.parameter_numbers.q,
                    numbers.parameter_numbers.g,
                    numbers.y,
                )
            ),
        )
    )
    return f"ssh-dss {base64.b64encode(blob).decode()}"


def _private() -> str:
    key = ed25519.Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()


KIND, BLOB = ED25519.split()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "whole line"),
        ("hello", "whole line"),
        (KIND, "whole line"),
        (BLOB, "whole line"),
        (f'command="reboot" {ED25519}', "whole line"),
        (f"no-pty,restrict {ED25519}", "whole line"),
        (f"cert-authority {ED25519}", "whole line"),
        (f"# {ED25519}", "whole line"),
        (_dsa(), "whole line"),
        (f"ssh-ed25519-cert-v01@openssh.com {BLOB}", "whole line"),
        (f"{ED25519}\n{RSA_3072}", "One line"),
        (f"{ED25519} Ana\x1b[2J", "One line"),
        (f"{ED25519} Ana\0", "One line"),
        (f"{ED25519} Ana\u202etac", "One line"),
        (f"{ED25519[:-8]}", "not whole"),
        (f"{KIND} {BLOB[:-4]}", "not whole"),
        (f"{KIND} {BLOB}AAAA", "not whole"),
        (f"{KIND} {BLOB[:20]}!{BLOB[21:]}", "not whole"),
        (f"ssh-rsa {BLOB}", "not whole"),
        (f"ecdsa-sha2-nistp256 {BLOB}", "not whole"),
        (RSA_2048, "at least 3072 bits"),
        (f"{ED25519} {'x' * 101}", "more than 100 characters"),
        (f"{ED25519} {'x' * 5000}", "at most 4096 characters"),
        (f"ssh-rsa {'A' * 4092}", "at most 4096 characters"),
        (_private(), "private key"),
    ],
    ids=[
        "nothing",
        "a word",
        "a kind alone",
        "a key alone",
        "a command",
        "options",
        "an authority",
        "a comment",
        "DSA",
        "a certificate",
        "two lines",
        "an escape",
        "a NUL",
        "turned letters",
        "cut off",
        "cut in fours",
        "too long inside",
        "no Base64",
        "Ed25519 as RSA",
        "Ed25519 as ECDSA",
        "short RSA",
        "a long comment",
        "a very long comment",
        "a very long key",
        "a private key",
    ],
)
def test_anything_else_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_key(text)
    assert reason in refused.value.hint
    assert refused.value.fields == {"key": refused.value.hint}
