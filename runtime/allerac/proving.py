"""Builds the gate of `allerac prove`.

It stands beside `app`, not in it: a runtime that cannot even be imported shall be told of.
"""

from allerac.errors import InvalidInput
from allerac.network.addresses import lasting, list_addresses
from allerac.settings import Settings
from allerac.updates import Rauc, SystemBus, ThisMachine, read_configuration
from allerac.updates.gate import (
    BaselineFile,
    Gate,
    ModelBehindDoor,
    ReasonFile,
    prove,
    surroundings_of_box,
)
from allerac.updates.gate.private_door import NAME
from allerac.updates.gate.reason_file import folders_of


async def prove_this_system(settings: Settings) -> int:
    """Judge the system that has just booted and act on it; return the exit code of the command.

    Raises `InvalidInput` where there is nothing to prove: on a machine without boot slots.
    """
    if settings.update_config is None or settings.socket is None:
        raise InvalidInput(
            "Only a system of Allerac's own proves itself.",
            hint="Set ALLERAC_UPDATE_CONFIG and ALLERAC_SOCKET.",
        )
    version = str(read_configuration(settings.update_config).box.installed)
    bus = SystemBus()
    try:
        return await prove(
            Gate(
                version=version,
                surroundings=surroundings_of_box(
                    settings.data_dir,
                    lambda: lasting(list_addresses()),
                    ModelBehindDoor(settings.socket.with_name(NAME)),
                    settings.sensors_root,
                ),
                installer=Rauc(bus),
                machine=ThisMachine(settings.socket.with_name("restart")),
                baseline_file=BaselineFile.below(settings.data_dir),
                reason_file=ReasonFile(*folders_of(settings.identity_dir, settings.data_dir)),
                limit_seconds=settings.prove_seconds,
            )
        )
    finally:
        await bus.close()
