"""Folders of documents: list, rename, take away, and move documents between them."""

from typing import Annotated

from fastapi import Query

from allerac.knowledge.folders import Documents

from .auth import Member
from .routing import API, router_at
from .schemas import knowledge as shape
from .services import Services, ServicesOf

router = router_at(f"{API}/knowledge", "knowledge")

Named = Annotated[str, Query(min_length=1, max_length=200)]


@router.get("/folders", operation_id="listKnowledgeFolders")
async def list_folders(principal: Member, services: ServicesOf) -> shape.Folders:
    """List the folders with how many documents are in each."""
    return await _folders(services, principal.person.id)


@router.patch("/folders", operation_id="renameKnowledgeFolder")
async def rename_folder(
    name: Named, body: shape.RenameFolder, principal: Member, services: ServicesOf
) -> shape.Folders:
    """Give a folder, and with it those within, another name; another's documents stay."""
    await services.folders.rename(principal.person.id, name, body.name)
    return await _folders(services, principal.person.id)


@router.delete("/folders", operation_id="deleteKnowledgeFolder", status_code=204)
async def delete_folder(
    name: Named, principal: Member, services: ServicesOf, documents: Documents = "keep"
) -> None:
    """Take a folder away: its documents go one folder up, or are removed for good."""
    await services.folders.delete(principal.person.id, name, documents)


@router.post("/move", operation_id="moveKnowledgeFiles")
async def move_files(
    body: shape.MoveKnowledgeFiles, principal: Member, services: ServicesOf
) -> shape.Folders:
    """Put documents into a folder; all of them, or none where one is not one's own."""
    await services.folders.move(principal.person.id, body.file_ids, body.folder)
    return await _folders(services, principal.person.id)


async def _folders(services: Services, person_id: str) -> shape.Folders:
    found = await services.folders.list(person_id)
    return shape.Folders(items=[shape.Folder.model_validate(each) for each in found])
