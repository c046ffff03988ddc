"""A new version of the root: the same keys for another year, or new ones vouched for."""

from pathlib import Path

from tuf.api.metadata import Metadata, Root

from .desk import accept_purpose
from .files import write_whole
from .keys import NOTE, KeyFolders
from .passphrases import Passphrases
from .repository import Repository, parsed
from .roles import LIFE, ONLINE, TARGETS


def rotate(
    repository: Repository,
    folders: list[Path],
    successor: Path | None,
    passphrases: Passphrases,
    *,
    development: bool,
) -> int:
    """Write the next root and return its version; boxes follow from any earlier one.

    The other roles are signed by old and new keys before the new root appears, so that a box
    believes them whichever root it has. Raises `BadInput` when too few root keys are at hand.
    """
    keys = KeyFolders([*folders, *([successor] if successor else [])], passphrases)
    with repository.held():
        contents = repository.read()
        old = contents.root
        accept_purpose(old, development=development)
        trust = successor / "trust" / "root.json" if successor else keys.trusted_root
        new = _next_root(old, _root_in(trust) if successor else old)
        accept_purpose(new, development=development)
        new.expires = repository.clock() + LIFE["root"]
        signed = _signed(keys, old, new)
        if contents.targets is not None:
            roots = [new]
            if all(keys.has(old.roles[name]) for name in (TARGETS, *ONLINE)):
                roots.insert(0, old)
            repository.write(keys, roots, contents, contents.files)
        repository.write_root(signed)
        write_whole(trust, signed.to_bytes())
        return new.version


def _next_root(old: Root, successor: Root) -> Root:
    return Root(
        version=old.version + 1,
        keys=dict(successor.keys),
        roles=dict(successor.roles),
        unrecognized_fields={
            NOTE: {
                **successor.unrecognized_fields.get(NOTE, {}),
                # the authority is in every box's image, which a new root does not change
                "authorities": old.unrecognized_fields.get(NOTE, {}).get("authorities", []),
            }
        },
    )


def _root_in(file: Path) -> Root:
    return parsed(file.read_bytes(), Root, str(file)).signed


def _signed(keys: KeyFolders, old: Root, new: Root) -> Metadata[Root]:
    metadata = Metadata(new)
    for root in (old, new):
        if not keys.has(root.roles["root"]):
            raise keys.missing("root", root.roles["root"])
        keys.sign(metadata, root.roles["root"])
    return metadata
