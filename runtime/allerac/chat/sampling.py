"""How an answer is chosen: by its setting, within what the model allows."""

from typing import Final

from allerac.engine.protocol import Sampling

from .library import NO_SETTING, Setting
from .records import ModelResolver

TEMPERATURE: Final = 0.7


def sampling_of(models: ModelResolver, model_id: str, setting: Setting = NO_SETTING) -> Sampling:
    """Return how `model_id` answers; never longer than its own limit."""
    temperature = TEMPERATURE if setting.temperature is None else setting.temperature
    longest = models.answer_tokens(model_id)
    return Sampling(
        temperature=0.0 if models.is_greedy(model_id) else temperature,
        max_tokens=longest if setting.max_tokens is None else min(setting.max_tokens, longest),
    )
