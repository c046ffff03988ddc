"""What a caller of the engine gets, with a real llama.cpp behind it."""

import asyncio
import subprocess
import sys
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from allerac.engine.protocol import Delta, PromptMessage, Queued, Reading, Sampling
from allerac.engine.supervisor import EngineSupervisor
from allerac.errors import ContextTooLong, EngineUnavailable, InvalidInput, QueueFull
from tests.engine.asking import (
    GREEDY,
    PASSWORD,
    demo_model,
    end_of,
    events_of,
    first_words,
    random_model,
    request,
    text_of,
)
from tests.engine.loop import ENDLESS
from tests.engine.tiny_model import write_tiny_model


async def test_answer_comes_from_the_message_token_by_token(engine: EngineSupervisor) -> None:
    events = await events_of(engine, request(PASSWORD))
    assert "blue-otter-42" in text_of(events)
    assert isinstance(events[0], Reading)
    deltas = [event for event in events if isinstance(event, Delta)]
    end = end_of(events)
    assert end.reason == "stop"
    assert len(deltas) > 3
    assert end.usage.prompt_tokens == await engine.count_tokens([PromptMessage("user", PASSWORD)])
    assert end.usage.completion_tokens >= sum(delta.tokens for delta in deltas) > 0


async def test_reading_progress_ends_before_the_first_word(endless: EngineSupervisor) -> None:
    events = await events_of(
        endless, request("a" * 2000, model="random", sampling=Sampling(temperature=0, max_tokens=1))
    )
    reading = [event for event in events if isinstance(event, Reading)]
    done = [event.done_tokens for event in reading]
    assert done == sorted(done)
    assert reading[-1].done_tokens < reading[-1].total_tokens == end_of(events).usage.prompt_tokens


async def test_stop_string_across_tokens_is_cut_and_ends_the_answer(
    engine: EngineSupervisor,
) -> None:
    whole = text_of(await events_of(engine, request(PASSWORD)))
    stop = whole[5:15]
    events = await events_of(engine, request(PASSWORD, sampling=Sampling(0.0, stop=(stop,))))
    assert text_of(events) == whole[:5]
    assert end_of(events).reason == "stop"


async def test_max_tokens_ends_with_length(engine: EngineSupervisor) -> None:
    events = await events_of(
        engine, request("Count from 1 to 12.", sampling=Sampling(0.0, max_tokens=3))
    )
    assert end_of(events).reason == "length"
    assert end_of(events).usage.completion_tokens == 3


async def test_same_seed_gives_the_same_answer(endless: EngineSupervisor) -> None:
    sampling = Sampling(temperature=1.5, seed=7, max_tokens=40)
    asked = [
        text_of(
            await events_of(
                endless, request("Hi", model="random", sampling=sampling, person=person)
            )
        )
        for person in ("ada", "bob")
    ]
    other = Sampling(temperature=1.5, seed=8, max_tokens=40)
    different = text_of(
        await events_of(endless, request("Hi", model="random", sampling=other, person="eve"))
    )
    assert asked[0] == asked[1] != different


async def test_context_end_finishes_with_length(endless: EngineSupervisor, tiny_path: Path) -> None:
    await endless.load(random_model(tiny_path, context_length=256, sequences=2))
    end = end_of(await events_of(endless, request("Hi", model="random", sampling=ENDLESS)))
    assert end.reason == "length"
    assert end.usage.prompt_tokens + end.usage.completion_tokens == 256


async def test_chats_at_once_take_turns(endless: EngineSupervisor) -> None:
    everyone, heard = {"ada", "bob", "eve"}, set()

    async def chat(person: str) -> None:
        asked = request("Hi", model="random", person=person, sampling=ENDLESS)
        async with aclosing(endless.generate(asked)) as events:
            async for event in events:
                if isinstance(event, Delta):
                    heard.add(person)
                if heard == everyone:
                    return
        raise AssertionError(f"{person}'s answer ended when only {heard} had been heard")

    await asyncio.gather(*map(chat, everyone))


async def test_closing_the_generator_frees_its_place(
    supervisor: EngineSupervisor, tiny_path: Path
) -> None:
    await supervisor.load(random_model(tiny_path, sequences=1))
    stream = supervisor.generate(request("Hi", model="random"))
    await first_words(stream)
    await stream.aclose()
    short = Sampling(0.0, max_tokens=2)
    events = await events_of(supervisor, request("Ho", model="random", sampling=short))
    assert end_of(events).usage.completion_tokens <= 2
    assert supervisor.status().active == 0


async def test_who_waits_is_told_the_position(
    supervisor: EngineSupervisor, tiny_path: Path
) -> None:
    await supervisor.load(random_model(tiny_path, sequences=1))
    running = supervisor.generate(request("Hi", model="random"))
    await first_words(running)
    waiting = [supervisor.generate(request("Hi", model="random", person="bob")) for _ in "ab"]
    positions = [await anext(stream) for stream in waiting]
    assert positions == [Queued(1, None), Queued(2, None)]
    await running.aclose()
    assert isinstance(await anext(waiting[0]), Reading)
    moved = await anext(waiting[1])
    assert isinstance(moved, Queued)
    assert moved.position == 1
    for stream in waiting:
        await stream.aclose()


async def test_urgent_work_goes_before_background(
    supervisor: EngineSupervisor, tiny_path: Path
) -> None:
    await supervisor.load(random_model(tiny_path, sequences=1))
    title = supervisor.generate(request("Hi", model="random", priority="background"))
    await first_words(title)
    short = Sampling(0.0, max_tokens=3)
    chat = await events_of(supervisor, request("Hi", model="random", sampling=short))
    assert end_of(chat).usage.completion_tokens <= 3
    assert await first_words(title) is not None
    await title.aclose()


async def test_full_queue_refuses(supervisor: EngineSupervisor, tiny_path: Path) -> None:
    await supervisor.load(random_model(tiny_path, sequences=1))
    running = supervisor.generate(request("Hi", model="random"))
    await first_words(running)
    streams = [supervisor.generate(request("Hi", model="random")) for _ in range(70)]
    results = await asyncio.gather(*map(anext, streams), return_exceptions=True)
    assert sum(isinstance(result, QueueFull) for result in results) == 6
    for stream in [*streams, running]:
        await stream.aclose()


async def test_prompt_beyond_the_context_is_refused_with_numbers(engine: EngineSupervisor) -> None:
    with pytest.raises(ContextTooLong) as caught:
        await events_of(engine, request("word " * 3000))
    assert caught.value.prompt_tokens > caught.value.limit_tokens == 1024


async def test_ten_million_characters_are_refused_while_others_stream(
    endless: EngineSupervisor,
) -> None:
    stream = endless.generate(request("Hi", model="random"))
    await first_words(stream)
    for text in ("a" * 10_000_000, "é" * 10_000_000, "\u200b \n" * 3_333_333):
        with pytest.raises(ContextTooLong):
            await events_of(endless, request(text, model="random", person="bob"))
        assert await first_words(stream)
    await stream.aclose()


@pytest.mark.parametrize("letter", ["a", "1", " ", "漢"])
async def test_endless_word_does_not_overflow_the_tokenizer(
    supervisor: EngineSupervisor, tmp_path: Path, letter: str
) -> None:
    """The `gpt-4o` way to split words recurses for each letter of a word."""
    path = write_tiny_model(tmp_path / "model.gguf", pre_tokenizer="gpt-4o", context_length=1 << 16)
    await supervisor.load(random_model(path, context_length=1 << 16))
    pid = supervisor.status().pid
    with pytest.raises(ContextTooLong):
        await events_of(supervisor, request(letter * 600_000, model="random"))
    assert supervisor.status().pid == pid


async def test_quantised_cache_answers_too(supervisor: EngineSupervisor) -> None:
    await supervisor.load(replace(demo_model(), kv_type="q8_0"))
    assert text_of(await events_of(supervisor, request(PASSWORD)))


@pytest.mark.parametrize("text", ["", " ", "\x00", "\ud800", "<|im_end|>", "\ufdd00\ufdd1"])
async def test_odd_messages_are_answered(engine: EngineSupervisor, text: str) -> None:
    events = await events_of(engine, request(text, sampling=Sampling(0.0, max_tokens=4)))
    assert end_of(events).usage.prompt_tokens > 0


async def test_control_token_spelled_by_a_person_stays_text(engine: EngineSupervisor) -> None:
    plain = await engine.count_tokens([PromptMessage("user", "")])
    spelled = await engine.count_tokens([PromptMessage("user", "<|im_end|>")])
    assert spelled - plain > 1


async def test_next_turn_reads_only_what_is_new(engine: EngineSupervisor) -> None:
    first = await events_of(engine, request(PASSWORD))
    assert end_of(first).usage.cached_tokens == 0
    second = await events_of(engine, request(PASSWORD, text_of(first), "Thank you!"))
    assert end_of(second).usage.cached_tokens >= end_of(first).usage.prompt_tokens


async def test_nothing_read_for_one_person_is_used_for_another(engine: EngineSupervisor) -> None:
    await events_of(engine, request(PASSWORD, person="ada"))
    other = await events_of(engine, request(PASSWORD, person="bob"))
    assert end_of(other).usage.cached_tokens == 0
    assert "blue-otter-42" in text_of(other)


async def test_reused_prefix_gives_the_same_answer(engine: EngineSupervisor) -> None:
    cold = await events_of(engine, request(PASSWORD))
    warm = await events_of(engine, request(PASSWORD))
    assert end_of(warm).usage.cached_tokens > 0
    assert "blue-otter-42" in text_of(warm)
    assert end_of(warm).reason == end_of(cold).reason


async def test_as_many_open_ended_answers_run_at_once_as_there_are_sequences(
    supervisor: EngineSupervisor, tiny_path: Path
) -> None:
    await supervisor.load(random_model(tiny_path, sequences=4))
    streams = [supervisor.generate(request("Hi", model="random", person=f"p{i}")) for i in range(4)]
    await asyncio.gather(*map(first_words, streams))
    assert (supervisor.status().active, supervisor.status().waiting) == (4, 0)
    for stream in streams:
        await stream.aclose()


async def test_many_chats_beyond_the_memory_all_finish(
    supervisor: EngineSupervisor, tiny_path: Path
) -> None:
    """Open-ended answers outgrow what was promised: one is pre-empted, none fails."""
    await supervisor.load(random_model(tiny_path, context_length=512, sequences=4))
    asked = [
        request("x" * 60, model="random", person=f"p{i}", sampling=replace(ENDLESS, seed=i))
        for i in range(6)
    ]
    everything = await asyncio.gather(*(events_of(supervisor, one) for one in asked))
    for events in everything:
        usage = end_of(events).usage
        assert end_of(events).reason == "length"
        assert usage.prompt_tokens + usage.completion_tokens == 512


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(temperature=float("nan")),
        Sampling(top_p=1.5),
        Sampling(max_tokens=0),
        Sampling(stop=("",)),
        Sampling(top_k=-1),
    ],
)
async def test_impossible_sampling_is_refused(engine: EngineSupervisor, sampling: Sampling) -> None:
    with pytest.raises(InvalidInput):
        await events_of(engine, request("Hi", sampling=sampling))


async def test_request_without_messages_is_refused(engine: EngineSupervisor) -> None:
    with pytest.raises(InvalidInput):
        await events_of(engine, request(sampling=GREEDY))


async def test_other_model_than_the_loaded_one_is_refused(engine: EngineSupervisor) -> None:
    with pytest.raises(EngineUnavailable):
        await events_of(engine, request("Hi", model="another"))


async def test_nothing_is_answered_before_a_model_is_loaded(supervisor: EngineSupervisor) -> None:
    with pytest.raises(EngineUnavailable):
        await events_of(supervisor, request("Hi"))
    with pytest.raises(EngineUnavailable):
        await supervisor.count_tokens([PromptMessage("user", "Hi")])


def test_the_runtime_does_not_import_what_computes() -> None:
    code = (
        "import sys, allerac.engine.supervisor, allerac.engine.gguf;"
        "print({'numpy', 'llama_cpp', 'jinja2'} & set(sys.modules))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"
