"""Folders of documents: what is in them, and how they are named, moved and taken away."""

from collections.abc import Sequence
from typing import Literal, Protocol

from allerac.errors import InvalidInput
from allerac.storage.knowledge_folders import MAX_FOLDER, FolderRecord, FolderStore

from .names import clean_folder

Documents = Literal["keep", "remove"]


class Remover(Protocol):
    """Removes a document with all that could find it."""

    async def remove(self, person_id: str, file_id: str) -> None:
        """Remove one of the person's."""


class FolderService:
    """Every method takes the caller's `person_id` and raises `NotFound` for what is not theirs."""

    def __init__(self, folders: FolderStore, documents: Remover) -> None:
        self._folders = folders
        self._documents = documents

    async def list(self, person_id: str) -> Sequence[FolderRecord]:
        """List the folders with how many documents are in each."""
        return await self._folders.all(person_id)

    async def move(self, person_id: str, file_ids: Sequence[str], folder: str) -> None:
        """Put documents into a folder, which is made by it; "" takes them out of theirs."""
        await self._folders.move(person_id, file_ids, folder_path(folder) if folder else "")

    async def rename(self, person_id: str, name: str, new_name: str) -> None:
        """Give a folder another name. Raises `Conflict`, `InvalidInput`."""
        await self._folders.rename(person_id, name, folder_path(new_name))

    async def delete(self, person_id: str, name: str, documents: Documents) -> None:
        """Take a folder away; its documents go one folder up, or are removed for good."""
        if documents == "keep":
            await self._folders.dissolve(person_id, name)
            return
        for file_id in await self._folders.own_files(person_id, name):
            await self._documents.remove(person_id, file_id)


def folder_path(name: str) -> str:
    """Return a folder's name without empty steps and those that lead nowhere.

    Raises `InvalidInput` where nothing is left of it, or too much.
    """
    steps = (step.strip() for step in clean_folder(name).split("/"))
    path = "/".join(step for step in steps if step.strip("."))
    if not path:
        raise InvalidInput("This folder needs a name.", fields={"name": "must not be empty"})
    if len(name) > MAX_FOLDER:
        raise InvalidInput("This name is too long.", fields={"name": "is too long"})
    return path
