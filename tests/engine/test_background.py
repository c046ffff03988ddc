"""What nobody waits for: it gives way, loses nothing by it, and counts as nobody's wait."""

from allerac.engine.protocol import Finished, Reading, Sampling
from allerac.engine.supervisor import EngineSupervisor
from allerac.engine.wire import Step
from tests.engine.asking import PASSWORD, end_of, events_of, request, text_of

SHORT = Sampling(0.0, max_tokens=4)


async def test_prompt_that_is_interrupted_again_and_again_is_read_as_a_whole(
    engine: EngineSupervisor,
) -> None:
    behind = request(f"{'The bins go out on Friday. ' * 40}{PASSWORD}", priority="background")
    events = []
    async for event in engine.generate(behind):
        events.append(event)
        if isinstance(event, Reading):
            asked = request("Hello", sampling=SHORT, person="bob")
            assert isinstance((await events_of(engine, asked))[-1], Finished)
    assert sum(isinstance(event, Reading) for event in events) > 1
    assert "blue-otter-42" in text_of(events)
    assert end_of(events).usage.prompt_tokens > 200


async def test_listeners_hear_of_what_people_wait_for_and_of_nothing_else(
    endless: EngineSupervisor,
) -> None:
    steps: list[Step] = []
    endless.listen(steps.append)
    title = request("Hi", model="random", sampling=SHORT, priority="background")
    asked = request("Hi", model="random", sampling=SHORT)
    for one in (title, asked):
        await events_of(endless, one)
    heard = [event for step in steps for event in step.events]
    assert {request_id for request_id, _ in heard} == {asked.request_id}
    assert sum(isinstance(event, Finished) for _, event in heard) == 1
