"""The wing of the models: the files, those elsewhere, the household's choice."""

from dataclasses import dataclass
from functools import partial

from allerac.app.engine import launch_of
from allerac.app.ground import Ground
from allerac.app.hardware import Hardware
from allerac.engine.engines import Engines
from allerac.engine.supervisor import EngineSupervisor
from allerac.engine.trial import try_model
from allerac.models import ModelRoom, ModelService
from allerac.models.catalogue import Catalogue, DemoModel, load_demo_model
from allerac.models.remote import RemoteModels
from allerac.settings import Settings
from allerac.storage.box import BoxStore
from allerac.storage.remote_models import RemoteModelStore


def build_model_service(settings: Settings, hardware: Hardware) -> ModelService:
    """Return the service of model files, as runtime and command line use it."""
    facts = settings.demo_model_dir / "model.yaml"
    demo: DemoModel | None = load_demo_model(facts) if facts.is_file() else None
    return ModelService(
        directory=settings.data_dir / "models",
        catalogue=Catalogue.of(hardware.choice.profile, hardware.profiles.pins),
        demo=demo,
        machine=hardware.machine,
        choice=hardware.choice,
        source_url=settings.model_source,
        bandwidth_limit=settings.download_bytes_per_second,
    )


class StoredDefault:
    """The household's model, kept with the box."""

    def __init__(self, boxes: BoxStore) -> None:
        self._boxes = boxes

    async def load(self) -> str | None:
        """Return the chosen model."""
        return (await self._boxes.load()).default_model_id

    async def save(self, model_id: str) -> None:
        """Keep the choice."""
        await self._boxes.change({"default_model_id": model_id})


@dataclass(frozen=True, slots=True)
class ModelWing:
    """The files, the models elsewhere, the room that knows both, and the engines behind it."""

    files: ModelService
    elsewhere: RemoteModels
    room: ModelRoom
    engines: Engines


def build_models(ground: Ground, engine: EngineSupervisor) -> ModelWing:
    """Return the wing over the engine of this box."""
    hardware = ground.hardware
    files = build_model_service(ground.settings, hardware)
    elsewhere = RemoteModels(RemoteModelStore(ground.database), ground.secrets)
    room = ModelRoom(
        files=files,
        engine=engine,
        default=StoredDefault(ground.boxes),
        machine=hardware.machine,
        choice=hardware.choice,
        trial=partial(try_model, launch=launch_of(ground.settings)),
        elsewhere=elsewhere,
    )
    return ModelWing(files, elsewhere, room, Engines(engine, elsewhere.route))
