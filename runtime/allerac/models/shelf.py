"""Turns what is known of a model and of this machine into the card that a person reads."""

from allerac.hardware.choice import ProfileChoice
from allerac.hardware.machine import Machine
from allerac.hardware.pin import ModelPin
from allerac.hardware.speed import ModelSize, SpeedEstimate, estimate_speed, judge_fit, size_of

from .card import DownloadProgress, ModelCard, ModelState
from .catalogue import Catalogue, DemoModel
from .store import Manifest

DEMO_PARAMETERS_PER_BYTE = 0.94  # q8_0 stores 32 values in 34 bytes


class Shelf:
    """Makes cards; remembers the speeds that were measured."""

    def __init__(self, machine: Machine, choice: ProfileChoice, catalogue: Catalogue) -> None:
        self._machine = machine
        self._choice = choice
        self._catalogue = catalogue
        self._measured: dict[str, SpeedEstimate] = {}

    def record_speed(self, model_id: str, speed: SpeedEstimate) -> None:
        """From now on tell this speed instead of an estimate."""
        self._measured[model_id] = speed

    def recommended_id(self) -> str | None:
        """The tier's first chat model, beyond the demonstration, that runs well here."""
        models = self._choice.profile.models
        wanted = [models.chat, *([models.fast] if models.fast else []), *models.larger]
        pins = [self._catalogue.pins[m] for m in wanted if m in self._catalogue.pins]
        for acceptable in ("good", "tight"):
            for pin in pins:
                size = size_of(pin)
                speed = self._speed(pin.id, size)
                fit, _ = judge_fit(self._machine, self._choice.profile, size, speed)
                if fit == acceptable:
                    return pin.id
        return None

    def pin_card(
        self, pin: ModelPin, state: ModelState, download: DownloadProgress | None
    ) -> ModelCard:
        """Return the card of a model from the catalogue."""
        size = size_of(pin)
        speed = self._speed(pin.id, size)
        fit, reason = judge_fit(self._machine, self._choice.profile, size, speed)
        return ModelCard(
            id=pin.id,
            title=pin.title,
            description=pin.description,
            family=pin.family,
            licence=pin.licence,
            role=self._catalogue.role_of(pin),
            size_bytes=size.weights_bytes,
            context_length=pin.context_length,
            quantisation=pin.quantisation,
            fit=fit,
            fit_reason=reason,
            speed=speed,
            state=state,
            is_demo=False,
            recommended=pin.id == self.recommended_id(),
            download=download,
        )

    def demo_card(self, demo: DemoModel, state: ModelState) -> ModelCard:
        """Return the card of the model that comes with the program."""
        size = ModelSize(
            weights_bytes=demo.size_bytes,
            active_bytes=demo.size_bytes,
            active_parameters=round(demo.size_bytes * DEMO_PARAMETERS_PER_BYTE),
            kv_bytes_per_token=0,
            context_length=demo.context_length,
        )
        speed = self._speed(demo.id, size)
        fit, reason = judge_fit(self._machine, self._choice.profile, size, speed)
        return ModelCard(
            id=demo.id,
            title="Demonstration model",
            description="Shows how Allerac works. It answers only from text that you paste.",
            family="Allerac",
            licence="apache-2.0",
            role="demo",
            size_bytes=demo.size_bytes,
            context_length=demo.context_length,
            quantisation="Q8_0",
            fit=fit,
            fit_reason=reason,
            speed=speed,
            state=state,
            is_demo=True,
            recommended=False,
            answer_tokens=demo.answer_tokens,
        )

    def imported_card(self, manifest: Manifest, state: ModelState) -> ModelCard:
        """Return the card of a model that came from a file."""
        size = ModelSize(
            weights_bytes=manifest.size_bytes,
            active_bytes=manifest.size_bytes,
            active_parameters=manifest.parameters,
            kv_bytes_per_token=manifest.kv_bytes_per_token,
            context_length=manifest.context_length,
        )
        speed = self._speed(manifest.id, size)
        fit, reason = judge_fit(self._machine, self._choice.profile, size, speed)
        return ModelCard(
            id=manifest.id,
            title=manifest.title,
            description="Imported from a file.",
            family=manifest.family,
            licence=manifest.licence,
            role="imported",
            size_bytes=manifest.size_bytes,
            context_length=manifest.context_length,
            quantisation=manifest.quantisation,
            fit=fit,
            fit_reason=reason,
            speed=speed,
            state=state,
            is_demo=False,
            recommended=False,
        )

    def _speed(self, model_id: str, size: ModelSize) -> SpeedEstimate:
        if measured := self._measured.get(model_id):
            return measured
        return estimate_speed(self._machine, self._choice, size, model_id)
