"""Which embedding model reads the documents, and how its similarities are to be understood."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from allerac.engine.protocol import ModelFile

SEED_FLOOR = 0.7
"""What counts as similar, on the scale on which people and settings speak of it."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What is special about a model: `floor` is the cosine at which texts begin to be related.

    Where it `is_centred`, it is not of the cosine but of what of it is not owed to the language.
    A query and a passage are embedded with these words before them.
    """

    floor: float
    query_prefix: str = ""
    passage_prefix: str = ""
    is_centred: bool = False


TRAITS: Mapping[str, Traits] = {
    # The model card's task prefixes (nomic-ai/nomic-embed-text-v1.5).
    "nomic-embed-text-v1.5": Traits(0.55, "search_query: ", "search_document: "),
    "bge-m3": Traits(0.45),
    # Above what is nearest to a question without an answer; see docs/benchmarks.md.
    "allerac-demo-embedding": Traits(0.165, is_centred=True),
}
"""By the beginning of a model's id. Floors lie between unrelated and related texts."""
UNKNOWN = Traits(0.5)


@dataclass(frozen=True, slots=True)
class EmbeddingModel:
    """A model on board that reads documents."""

    file: ModelFile
    traits: Traits

    @property
    def id(self) -> str:
        """The model's id."""
        return self.file.model_id


class EmbeddingModels(Protocol):
    """Says which model reads documents now; None when there is none on board."""

    def current(self) -> EmbeddingModel | None:
        """The one to use."""


def traits_of(model_id: str) -> Traits:
    """Return what is known about a model."""
    return next((TRAITS[name] for name in TRAITS if model_id.startswith(name)), UNKNOWN)


def on_seed_scale(cosine: float, traits: Traits) -> float:
    """Return a similarity between 0 and 1 on which `SEED_FLOOR` is where texts are related."""
    if cosine >= traits.floor:
        above = (cosine - traits.floor) / (1 - traits.floor)
        return min(1.0, SEED_FLOOR + above * (1 - SEED_FLOOR))
    below = (cosine + 1) / (traits.floor + 1)
    return max(0.0, below * SEED_FLOOR)
