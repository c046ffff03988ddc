"""A system that was made for another processor says so and does not crash."""

from pathlib import Path

import pytest
from llama_cpp import llama_cpp as llama

from allerac.engine.instructions import CPUINFO, missing_instructions, require_instructions
from allerac.errors import EngineUnavailable

BUILT = "CPU : SSE3 = 1 | AVX2 = 1 | AVX_VNNI = 1 | FMA = 1 | LLAMAFILE = 1 | REPACK = 1 | "
N100 = "processor\t: 0\nflags\t\t: fpu sse3 avx2 fma avx_vnni\n\nprocessor\t: 1\nflags\t\t: fpu\n"
OLDER = "processor\t: 0\nmodel name\t: avx_vnni\nflags\t\t: fpu sse3 avx2 fma\n"


def test_nothing_is_missing_on_the_processor_that_it_was_made_for() -> None:
    assert missing_instructions(BUILT, N100) == []


def test_what_an_older_processor_lacks_is_named() -> None:
    assert missing_instructions(BUILT, OLDER) == ["AVX_VNNI"]


def test_what_was_compiled_without_is_not_missed() -> None:
    assert missing_instructions("CPU : AVX2 = 1 | AVX_VNNI = 0 | ", OLDER) == []


@pytest.mark.parametrize("cpuinfo", ["", "processor : 0\nFeatures : neon\n"])
def test_a_processor_that_does_not_say_is_believed_to_have_all(cpuinfo: str) -> None:
    assert missing_instructions(BUILT, cpuinfo) == []


def test_the_owner_is_told_in_a_sentence_and_the_log_which(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(OLDER)
    with pytest.raises(EngineUnavailable, match="made for another processor") as caught:
        require_instructions(BUILT, cpuinfo)
    assert "AVX_VNNI" in str(caught.value.__cause__)
    require_instructions(BUILT, tmp_path / "missing")


def test_the_engine_of_this_checkout_suits_this_machine_and_says_what_it_was_made_of() -> None:
    compiled = llama.llama_print_system_info().decode()
    assert "AVX2 = 1" in compiled
    assert missing_instructions(compiled, CPUINFO.read_text()) == []
    assert missing_instructions(compiled, "flags : fpu") != []
