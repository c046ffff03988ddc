"""How fast a model will be, and whether it fits.

Writing is bound by memory: each token reads every active weight once, so

    seconds a token = active bytes / bandwidth + overhead
    bandwidth       = min(channels x peak of a channel x efficiency, sum over cores)

Reading is bound by arithmetic: active parameters / what all cores compute in a second.

Constants come from published measurements: efficiency 0.54 to 0.77 of the peak over nine machines;
per core from a 0.81 GB model with 1.24 billion parameters on Raptor Lake (37.7 tokens a second
reading and 16.2 writing on a performance core, 9.9 and 5.84 on an efficient one; llama.cpp pull
request 23309). An N100 that reads an 8B model at 6.53 and writes it at 3.01 agrees.
"""

from dataclasses import dataclass
from typing import Literal

from .choice import ProfileChoice
from .machine import Machine
from .pin import ModelPin
from .profile import Profile

GB = 1_000_000_000
EFFICIENCY = 0.65
CHANNEL_PEAK_BYTES = 25.6 * GB  # DDR4-3200, the slowest memory of the tiers: 3200 MT/s x 8 bytes
PERFORMANCE_CORE_BYTES = 13.1 * GB
EFFICIENT_CORE_BYTES = 4.7 * GB
PERFORMANCE_CORE_PARAMETERS = 46.7e9
EFFICIENT_CORE_PARAMETERS = 12.3e9
VIRTUAL_CORE_SHARE = 0.5  # a guest's core is commonly one thread of two on a core (assumption)
STEP_OVERHEAD_SECONDS = 0.001  # per token, whatever the size; matters below 100 MB (assumption)
WORDS_PER_TOKEN = 0.75  # the usual rule of thumb for English
BUFFER_BYTES = 500_000_000  # compute buffers of one engine process (assumption, 0.3 to 0.6 GB)
COMFORTABLE_TOKENS_PER_SECOND = 5.0  # about the pace at which people read
Q8_SHARE_OF_F16 = 0.53125  # q8_0 stores 32 values in 34 bytes

Fit = Literal["good", "tight", "too_large"]


@dataclass(frozen=True, slots=True)
class SpeedEstimate:
    """Tokens a second for one chat with a short context; `measured` on this very machine."""

    prefill_tokens_per_second: float
    decode_tokens_per_second: float
    measured: bool

    @property
    def words_per_second(self) -> float:
        """What a person sees of the decode speed."""
        return self.decode_tokens_per_second * WORDS_PER_TOKEN


@dataclass(frozen=True, slots=True)
class ModelSize:
    """What of a model decides on memory and speed; all per token but `weights_bytes`."""

    weights_bytes: int
    active_bytes: int
    active_parameters: int
    kv_bytes_per_token: int
    context_length: int


def size_of(pin: ModelPin) -> ModelSize:
    """Take the sizes out of a pin; without a size the active bytes stand in."""
    return ModelSize(
        weights_bytes=pin.size_bytes or pin.active_bytes,
        active_bytes=pin.active_bytes,
        active_parameters=pin.active_parameters,
        kv_bytes_per_token=pin.kv_bytes_per_token,
        context_length=pin.context_length,
    )


def estimate_speed(
    machine: Machine, choice: ProfileChoice, model: ModelSize, model_id: str = ""
) -> SpeedEstimate:
    """Expect the profile's figures on a machine of exactly that tier, the formula's elsewhere."""
    if choice.exact and (known := choice.profile.speeds.get(model_id)):
        return SpeedEstimate(
            known.prefill_tokens_per_second, known.decode_tokens_per_second, measured=False
        )
    seconds_per_token = model.active_bytes / _bandwidth(machine) + STEP_OVERHEAD_SECONDS
    seconds_per_prompt_token = model.active_parameters / _arithmetic(machine)
    # A prompt is never read slower than an answer is written: both run the same step.
    prefill = max(1 / seconds_per_token, 1 / seconds_per_prompt_token)
    return SpeedEstimate(prefill, 1 / seconds_per_token, measured=False)


def judge_fit(
    machine: Machine, profile: Profile, model: ModelSize, speed: SpeedEstimate
) -> tuple[Fit, str]:
    """Say whether weights, cache and buffers fit beside the system, and why."""
    context = min(profile.engine.context_length, model.context_length)
    share = Q8_SHARE_OF_F16 if profile.engine.kv_type == "q8_0" else 1.0
    needed = model.weights_bytes + model.kv_bytes_per_token * context * share + BUFFER_BYTES
    room = machine.memory_bytes - profile.memory.system_bytes
    if needed > room:
        return "too_large", (
            f"Needs {needed / GB:.1f} GB of memory; {max(room, 0) / GB:.1f} GB can be used here."
        )
    if speed.decode_tokens_per_second < COMFORTABLE_TOKENS_PER_SECOND:
        return "tight", (
            f"Fits, but writes only about {speed.words_per_second:.1f} words a second here."
        )
    if needed > 0.8 * room:
        return "tight", f"Fits, with little memory to spare ({(room - needed) / GB:.1f} GB)."
    return "good", f"Fits comfortably: {needed / GB:.1f} of {room / GB:.1f} GB of memory."


def _bandwidth(machine: Machine) -> float:
    """Bytes a second that decoding can stream; unknown channels count as one."""
    memory = (machine.memory_channels or 1) * CHANNEL_PEAK_BYTES * EFFICIENCY
    return min(memory, _sum_cores(machine, PERFORMANCE_CORE_BYTES, EFFICIENT_CORE_BYTES))


def _arithmetic(machine: Machine) -> float:
    """Parameters a second that all cores together compute in a prompt."""
    return _sum_cores(machine, PERFORMANCE_CORE_PARAMETERS, EFFICIENT_CORE_PARAMETERS)


def _sum_cores(machine: Machine, performance: float, efficient: float) -> float:
    total = machine.cores_performance * performance + machine.cores_efficient * efficient
    return total * (VIRTUAL_CORE_SHARE if machine.virtual else 1.0)
