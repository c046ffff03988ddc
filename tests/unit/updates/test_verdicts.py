"""What the gate says of a version, and which update it says it of."""

from allerac.updates.verdict import Verdict

from .household import Household, bring_to, running, until


async def test_what_works_is_recorded_for_this_very_update_before_the_boot_loader_is_told(
    home: Household,
) -> None:
    await bring_to(home, "installed")
    assert home.measured.attempts == []
    await home.acts.switch.forward()
    [row] = await home.store.history(9)
    assert home.measured.attempts == [(row.id, True)]


async def test_an_owner_may_go_back_to_a_version_that_was_always_slower(home: Household) -> None:
    await bring_to(home, "rebooting")
    home.machine.boot()
    home.machine.prove()
    new = home.again()
    await new.acts.reconcile()
    await new.acts.switch.back()
    row = (await new.store.history(9))[0]
    assert new.measured.attempts == [(row.id, False)]


async def test_the_verdict_on_an_earlier_try_is_not_told_of_this_one(home: Household) -> None:
    await bring_to(home, "rebooting")
    home.gate.verdict = Verdict("1.1.0", False, "too_slow", attempt="the first try")
    home.machine.broken.add("1.1.0")
    home.machine.boot()
    back = home.again()
    await back.acts.reconcile()
    record = await back.store.load()
    assert (record.state, record.reason) == ("rolled_back", "did_not_start")


async def test_the_verdict_on_this_try_is_told(home: Household) -> None:
    await bring_to(home, "rebooting")
    attempt = (await home.store.load()).history_id
    home.gate.verdict = Verdict("1.1.0", False, "disk_filled", "9 bytes are free", attempt)
    home.machine.broken.add("1.1.0")
    home.machine.boot()
    back = home.again()
    await back.acts.reconcile()
    record = await back.store.load()
    assert (record.reason, record.detail) == ("disk_filled", "9 bytes are free")


async def test_while_the_gate_looks_the_update_proves_itself_and_is_good_after(
    home: Household,
) -> None:
    await bring_to(home, "rebooting")
    home.machine.boot()
    async with running(home.again()) as service:
        assert (await until(service, "proving")).installed == "1.1.0"
        home.machine.prove()
        service.look()
        assert (await until(service, "good")).reason is None
