"""Keys and bundles made once; a shop and a box of its own for every test."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from allerac_image.log import StepLog
from allerac_image.signing import Signer
from allerac_release.new_keys import NewKeys, make_keys
from allerac_release.passphrases import Passphrases
from allerac_release.repository import utc_now
from tests.release.release_shop import PASSPHRASE, Box, Shop, build_bundle, publish, served

BundleOf = Callable[[str], Path]


@pytest.fixture(scope="session")
def made_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of development keys."""
    folder = tmp_path_factory.mktemp("release") / "keys"
    make_keys(NewKeys(folder, development=True), Passphrases(), utc_now())
    return folder


@pytest.fixture(scope="session")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The keys of the machine that builds images."""
    folder = tmp_path_factory.mktemp("builder")
    Signer(folder / "keys").make_development_keys(StepLog(folder / "log", None))
    return folder / "keys"


@pytest.fixture(scope="session")
def bundle_of(tmp_path_factory: pytest.TempPathFactory, builder: Path) -> BundleOf:
    """Return a function that makes the bundle of a version, or of `tier/version`, once."""
    if shutil.which("rauc", path="/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin") is None:
        pytest.skip("needs `rauc`: apt install rauc")
    folder = tmp_path_factory.mktemp("bundles")
    made: dict[str, Path] = {}

    def bundle(name: str) -> Path:
        if name not in made:
            tier, _, version = name.rpartition("/")
            made[name] = build_bundle(folder, tier or "vm", version, builder)
        return made[name]

    return bundle


@pytest.fixture
def shop(tmp_path: Path, made_keys: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    """An empty repository and keys of its own."""
    shutil.copytree(made_keys, tmp_path / "keys")
    return Shop(tmp_path, tmp_path / "keys", capsys)


@pytest.fixture
def phrase(tmp_path: Path) -> Path:
    """A file with the passphrase of the release keys."""
    file = tmp_path / "phrase"
    file.write_text(f"{PASSPHRASE}\n")
    return file


@pytest.fixture
def release_shop(tmp_path: Path, phrase: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    """An empty repository and keys of a release, which have a passphrase."""
    keys = tmp_path / "release-keys"
    make_keys(NewKeys(keys, development=False), Passphrases(phrase), utc_now())
    return Shop(tmp_path, keys, capsys)


@pytest.fixture(scope="session")
def stock(
    tmp_path_factory: pytest.TempPathFactory, made_keys: Path, bundle_of: BundleOf, builder: Path
) -> Path:
    """A repository that offers 1.0.0 to everybody in the beta channel."""
    folder = tmp_path_factory.mktemp("stock") / "repository"
    publish(folder, made_keys, bundle_of("1.0.0"), builder / "ca.crt")
    return folder


@pytest.fixture
def stocked(shop: Shop, stock: Path) -> Shop:
    """A shop with a copy of it."""
    shutil.copytree(stock, shop.repository)
    return shop


@pytest.fixture
def box(shop: Shop) -> Iterator[Box]:
    """A box that was shipped with the first root, and asks over loopback."""
    root = shop.folder / "shipped-root.json"
    shutil.copyfile(shop.keys / "trust" / "root.json", root)
    with served(shop.repository) as address:
        yield Box(shop.folder / "box", root, address)
