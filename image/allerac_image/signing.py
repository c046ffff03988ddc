"""Keys that sign update bundles: a development pair is made at first use, releases bring theirs."""

from pathlib import Path

from .errors import ImageError
from .log import StepLog, Words

DAYS = 3650
CURVE = "ec_paramgen_curve:prime256v1"
LEAF = """\
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=critical,codeSigning,emailProtection
"""
"""RAUC on the box asks for code signing, the one that signs asks for e-mail protection."""

PRIVATE = 0o600


class Signer:
    """A folder with `ca.crt` (what the box trusts), `signing.crt` and `signing.key`."""

    def __init__(self, folder: Path) -> None:
        self.authority = folder / "ca.crt"
        self.certificate = folder / "signing.crt"
        self.key = folder / "signing.key"
        self._folder = folder

    @property
    def is_complete(self) -> bool:
        """Whether all three files are there."""
        return all(path.is_file() for path in (self.authority, self.certificate, self.key))

    def make_development_keys(self, log: StepLog) -> None:
        """Make an authority and a signing key that no shipped box trusts."""
        if self.is_complete:
            return
        if self._folder.exists() and any(self._folder.iterdir()):
            raise ImageError(
                f"{self._folder} has some of the signing keys, not all. Put the missing ones back "
                "or remove the folder, then development keys are made."
            )
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = self._folder / "part"
        part.mkdir()
        authority_key, request, extensions = part / "ca.key", part / "request", part / "leaf"
        extensions.write_text(LEAF)
        self._new_key(log, authority_key)
        self._new_key(log, part / "signing.key")
        days = ["-days", str(DAYS)]
        ca: Words = [
            "-key",
            authority_key,
            "-subj",
            "/CN=Allerac development",
            "-out",
            part / "ca.crt",
        ]
        log.run(["openssl", "req", "-new", "-x509", *days, *ca])
        leaf: Words = ["-key", part / "signing.key", "-subj", "/CN=Allerac development bundles"]
        log.run(["openssl", "req", "-new", *leaf, "-out", request])
        issuer: Words = ["-CA", part / "ca.crt", "-CAkey", authority_key, "-extfile", extensions]
        output: Words = ["-out", part / "signing.crt"]
        log.run(["openssl", "x509", "-req", "-in", request, *issuer, *days, *output])
        for path in (self.authority, self.certificate, self.key):
            (part / path.name).rename(path)
        for path in part.iterdir():
            path.unlink()
        part.rmdir()

    def _new_key(self, log: StepLog, path: Path) -> None:
        path.touch(mode=PRIVATE)  # before there is a secret in it
        options: Words = ["-algorithm", "EC", "-pkeyopt", CURVE, "-out", path]
        log.run(["openssl", "genpkey", *options])
