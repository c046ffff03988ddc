"""The watched folder and the library say the same."""

from pathlib import Path

import pytest

from allerac.knowledge.watch import Takers, WatchedFolder
from allerac.storage.knowledge import FileRecord
from tests.unit.knowledge.house import House, LetterEmbedder, open_house

LETTER = b"The gate is green. " * 20


def watching(house: House, folder: Path) -> WatchedFolder:
    service = house.service
    return WatchedFolder(
        folder,
        Takers(
            known=house.files.watched,
            take=service.take_watched,
            replace=service.replace_watched,
            drop=service.drop_watched,
        ),
    )


async def names(house: House) -> list[tuple[str, str, str]]:
    page = await house.service.list_files("ben")
    return sorted((file.folder, file.name, file.visibility) for file in page.items)


async def one(house: House) -> FileRecord:
    (file,) = (await house.files.watched()).values()
    return await house.settled(file.id)


async def test_file_is_taken_when_it_has_come_to_rest_and_goes_with_it(tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    (folder / "house").mkdir(parents=True)
    (folder / "house" / "gate.txt").write_bytes(LETTER)
    (folder / ".hidden").write_bytes(LETTER)
    (folder / "link.txt").symlink_to("/etc/passwd")
    async with open_house(tmp_path, LetterEmbedder()) as house:
        watched = watching(house, folder)
        await watched.look()
        assert await names(house) == []
        await watched.look()
        assert await names(house) == [("house", "gate.txt", "household")]
        assert (await one(house)).state == "ready"

        (folder / "house" / "gate.txt").write_bytes(LETTER * 2)
        await watched.look()
        await watched.look()
        assert (await one(house)).version == 2

        (folder / "house" / "gate.txt").unlink()
        await watched.look()
        assert await names(house) == []


@pytest.mark.parametrize("is_there", [True, False])
async def test_folder_that_is_not_there_forgets_nothing(tmp_path: Path, is_there: bool) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "gate.txt").write_bytes(LETTER)
    async with open_house(tmp_path, LetterEmbedder()) as house:
        watched = watching(house, folder)
        await watched.look()
        await watched.look()
        if not is_there:
            folder.rename(tmp_path / "unplugged")
        await watched.look()
        assert len(await names(house)) == 1
