"""An assistant that was narrowed to documents never looks into others, whatever became of them."""

from dataclasses import asdict

import pytest

from allerac.storage.migrations import m0008_narrowing

from .conftest import Home

HIS, HERS = "Ben's diary is blue.", "Ana's contract ends in May."


async def _reads(home: Home, person: str, assistant_id: str) -> tuple[str, ...]:
    brief, _ = await home.brief(person, await home.conversation(person, assistant_id))
    return brief.passages


async def test_assistant_without_documents_looks_into_all_that_one_may_read(home: Home) -> None:
    await home.put("ben", HIS)
    await home.put("ana", HERS)
    assert await _reads(home, "ana", await home.assistant("ana")) == (HERS,)


async def test_shared_assistant_of_private_documents_searches_nothing_for_others(
    home: Home,
) -> None:
    await home.put("ben", HIS)
    made = await home.assistant(
        "ana", visibility="household", file_ids=[await home.put("ana", HERS)]
    )
    assert await _reads(home, "ana", made) == (HERS,)
    assert await _reads(home, "ben", made) == ()


async def test_copy_of_such_an_assistant_searches_nothing_either(home: Home) -> None:
    await home.put("ben", HIS)
    made = await home.assistant(
        "ana", visibility="household", file_ids=[await home.put("ana", HERS)]
    )
    copy = await home.service.duplicate("ben", made, "Copy")
    assert await _reads(home, "ben", copy.id) == ()


async def test_assistant_whose_documents_were_removed_searches_nothing(home: Home) -> None:
    await home.put("ana", "Another paper.")
    gone = await home.put("ana", HERS)
    made = await home.assistant("ana", file_ids=[gone])
    await home.files.remove(gone)
    assert await _reads(home, "ana", made) == ()
    same = asdict(await home.service.get("ana", made))
    await home.service.change("ana", made, {"name": "Other", "file_ids": [*same["file_ids"]]})
    assert await _reads(home, "ana", made) == ()


@pytest.mark.parametrize("again", [True, False])
async def test_assistant_looks_everywhere_once_its_documents_are_taken_from_it(
    home: Home, again: bool
) -> None:
    file_id = await home.put("ana", HERS)
    await home.put("ana", "Another paper.")
    made = await home.assistant("ana", file_ids=[file_id])
    await home.service.change("ana", made, {"file_ids": []})
    assert len(await _reads(home, "ana", made)) == 2
    if again:
        await home.service.change("ana", made, {"file_ids": [file_id]})
        assert await _reads(home, "ana", made) == (HERS,)


@pytest.mark.parametrize("values", [{"is_narrowed": False}, {"is_narrowed": False, "file_ids": []}])
async def test_assistant_whose_documents_were_removed_looks_everywhere_when_asked_to(
    home: Home, values: dict[str, object]
) -> None:
    gone = await home.put("ana", HERS)
    await home.put("ana", "Another paper.")
    made = await home.assistant("ana", file_ids=[gone])
    await home.files.remove(gone)
    changed = await home.service.change("ana", made, values)
    assert (changed.is_narrowed, changed.file_ids) == (False, ())
    assert await _reads(home, "ana", made) == ("Another paper.",)


async def test_assistant_narrowed_to_no_documents_keeps_those_that_it_has(home: Home) -> None:
    file_id = await home.put("ana", HERS)
    await home.put("ana", "Another paper.")
    made = await home.assistant("ana", file_ids=[file_id])
    changed = await home.service.change("ana", made, {"is_narrowed": True})
    assert (changed.is_narrowed, changed.file_ids) == (True, (file_id,))
    assert await _reads(home, "ana", made) == (HERS,)


async def test_assistants_of_an_earlier_version_stay_narrowed(home: Home) -> None:
    await home.put("ana", "Another paper.")
    gone = await home.put("ana", HERS)
    made = await home.assistant("ana", file_ids=[gone])
    await home.room.database.write(
        lambda connection: connection.exec_driver_sql("DROP TABLE assistant_narrowing")
    )
    await home.room.database.write(m0008_narrowing.upgrade)
    await home.files.remove(gone)
    assert await _reads(home, "ana", made) == ()
