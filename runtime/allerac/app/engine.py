"""The wing of the engine: how its process is had, and how fast it is here."""

from collections.abc import Callable
from dataclasses import asdict

from allerac import __version__
from allerac.burn_in import read_figures
from allerac.engine.process import Launch, connect_to, spawn_in
from allerac.engine.protocol import Finished
from allerac.engine.supervisor import EngineSupervisor
from allerac.engine.wire import Step
from allerac.models import ModelService
from allerac.models.speeds import SpeedKeeper
from allerac.settings import Settings
from allerac.storage.calibration import Calibration, CalibrationStore


def launch_of(settings: Settings) -> Launch:
    """Return how an engine process is had: from systemd by its socket, or started by us."""
    if settings.engine_socket is None:
        return spawn_in(settings.data_dir / "engine")
    return connect_to(settings.engine_socket)


def build_speeds(settings: Settings, engine: EngineSupervisor, models: ModelService) -> SpeedKeeper:
    """Return what measures the models, tells their cards, and hears every answer's end.

    A box begins with what its birth certificate says, also after it has forgotten everything.
    """
    born = read_figures(settings.identity_dir)
    speeds = SpeedKeeper(
        store=CalibrationStore(settings.data_dir / "calibration.sqlite"),
        engine=engine,
        version=__version__,
        on_speed=models.record_speed,
        born=None if born is None else Calibration(**asdict(born)),
    )
    engine.listen(_each_end(speeds))
    return speeds


def _each_end(speeds: SpeedKeeper) -> Callable[[Step], None]:
    def hear(step: Step) -> None:
        for _, event in step.events:
            if isinstance(event, Finished):
                speeds.note_answer(event.usage)

    return hear
