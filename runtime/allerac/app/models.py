"""The wing of the models: the machine, its profile, the files, the household's choice."""

from dataclasses import dataclass

from allerac.hardware.choice import ProfileChoice, choose_profile
from allerac.hardware.machine import Machine, detect_machine
from allerac.hardware.profile import Profiles, load_profiles
from allerac.models import ModelService
from allerac.models.catalogue import Catalogue, DemoModel, load_demo_model
from allerac.settings import Settings
from allerac.storage.box import BoxStore


@dataclass(frozen=True, slots=True)
class Hardware:
    """The machine, its profile and all profiles."""

    machine: Machine
    choice: ProfileChoice
    profiles: Profiles


def read_hardware(settings: Settings) -> Hardware:
    """Detect the machine and choose its profile, or take the one that is set."""
    profiles = load_profiles(settings.profiles_dir)
    machine = detect_machine(data_dir=settings.data_dir)
    choice = choose_profile(machine, profiles)
    if settings.profile is not None:
        profile = profiles.by_id[settings.profile]
        choice = ProfileChoice(profile, False, "This profile was set by the operator.")
    return Hardware(machine, choice, profiles)


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
