"""Where things are on the box; a test lays them out below a folder of its own."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Places:
    """Paths below `root`, which is `/` on the box."""

    root: Path = Path("/")

    @property
    def data(self) -> Path:
        """The data partition."""
        return self.root / "data"

    @property
    def data_device(self) -> Path:
        """The partition that is mounted there."""
        return self.root / "dev/disk/by-partlabel/data"

    @property
    def allerac(self) -> Path:
        """What the runtime keeps."""
        return self.data / "allerac"

    @property
    def database(self) -> Path:
        """Accounts and conversations."""
        return self.allerac / "allerac.sqlite"

    @property
    def codes(self) -> Path:
        """Hashes of the codes that open the rescue page; written by the factory and the runtime."""
        return self.root / "identity/rescue/codes"

    @property
    def runtime_socket(self) -> Path:
        """Where the runtime answers."""
        return self.root / "run/allerac/runtime.sock"

    @property
    def environment(self) -> Path:
        """The Python that the runtime runs on."""
        return self.root / "opt/allerac/venv/bin/python"

    @property
    def requests(self) -> Path:
        """A file here asks systemd for the act of its name."""
        return self.root / "run/allerac-rescue/requests"

    @property
    def results(self) -> Path:
        """What the acts tell, one JSON file each."""
        return self.root / "run/allerac-rescue/results"

    @property
    def reset_wish(self) -> Path:
        """Present from the wish for a factory reset until it is done, over power cuts too."""
        return self.data / "factory-reset"
