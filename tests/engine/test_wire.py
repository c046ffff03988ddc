"""What goes into a frame comes out of it; what is no frame is refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allerac.engine.limits import check_size
from allerac.engine.protocol import (
    Delta,
    Finished,
    GenerationRequest,
    ModelFile,
    PromptMessage,
    Queued,
    Reading,
    Sampling,
    Speed,
    Usage,
)
from allerac.engine.wire import (
    LENGTH,
    Beat,
    Calibrate,
    Calibrated,
    Cancel,
    Command,
    Count,
    Counted,
    Embedded,
    Expect,
    Forget,
    Generate,
    KeepOnly,
    Load,
    Loaded,
    Measured,
    Rank,
    Ranked,
    Report,
    SetThreads,
    Step,
    decode_command,
    decode_report,
    encode_command,
    encode_report,
)
from allerac.errors import AlleracError, ContextTooLong, QueueFull

SURROGATE = "\ud800 is half a character"
MESSAGES = (PromptMessage("system", "Be kind."), PromptMessage("user", SURROGATE))


@pytest.mark.parametrize(
    "command",
    [
        Load(ModelFile(model_id="m", path=Path("/m.gguf"), context_length=8, threads=2)),
        Generate(GenerationRequest("r", "m", "p", MESSAGES, Sampling(stop=("a", "b")), "api")),
        Cancel("r"),
        Count("c", MESSAGES),
        Rank("r", SURROGATE, ("one", "two")),
        SetThreads(2),
        SetThreads(None),
        Forget("p"),
        KeepOnly(("p", "q")),
        Calibrate("k"),
        Expect(210.5, 17.25),
    ],
)
def test_command_survives_the_wire(command: Command) -> None:
    frame = encode_command(command)
    assert LENGTH.unpack(frame[:4])[0] == len(frame) - 4
    assert decode_command(frame[4:]) == command


@pytest.mark.parametrize(
    "report",
    [
        Loaded(4096),
        Loaded(4096, 100_000),
        Beat(Speed(10.5, None)),
        Counted("c", 12),
        Measured("m", (1, 2)),
        Ranked("r", (0.5, -1.25)),
        Embedded("e", b"\x00\xff"),
        Calibrated("k", Speed(10.5, None)),
        Step(
            1.5,
            (
                ("a", Queued(1, None)),
                ("b", Reading(5, 10, 2)),
                ("b", Reading(6, 10, 2, 1.5)),
                ("c", Delta("é\ufffd", 1)),
                ("d", Finished("stop", Usage(1, 0, 2, 0.5, None))),
            ),
        ),
    ],
)
def test_report_survives_the_wire(report: Report) -> None:
    assert decode_report(encode_report(report)[4:]) == report


def test_errors_keep_class_and_words() -> None:
    errors: list[AlleracError] = [QueueFull("Full.", hint="Wait."), ContextTooLong(9, 8)]
    step = decode_report(encode_report(Step(0.0, tuple(("r", error) for error in errors)))[4:])
    assert isinstance(step, Step)
    full, long = (event for _, event in step.events)
    assert isinstance(full, QueueFull)
    assert (full.message, full.hint) == ("Full.", "Wait.")
    assert isinstance(long, ContextTooLong)
    assert (long.prompt_tokens, long.limit_tokens) == (9, 8)


@given(st.binary(max_size=200))
def test_what_is_no_frame_is_refused(payload: bytes) -> None:
    for decode in (decode_command, decode_report):
        with pytest.raises((ValueError, KeyError, TypeError)):
            decode(payload)


@given(st.text(max_size=2000), st.integers(1, 40))
def test_size_check_never_refuses_what_may_fit(text: str, context_length: int) -> None:
    """Refused only where even 32 bytes a token would not fit."""
    try:
        check_size([PromptMessage("user", text)], context_length)
    except ContextTooLong:
        assert len(text.encode("utf-8", "replace")) > 32 * context_length
