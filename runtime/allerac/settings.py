"""What the operator may set; read once, at the top.

Every setting is an environment variable `ALLERAC_<NAME>`.
"""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

REPOSITORY = Path(__file__).resolve().parents[2]
"""The checkout on a developer's machine; the image sets the folders explicitly."""


class Settings(BaseSettings):
    """Defaults are those of a developer's machine."""

    model_config = SettingsConfigDict(env_prefix="ALLERAC_", frozen=True, extra="ignore")

    data_dir: Path = Field(
        default=REPOSITORY / ".data", description="Everything that the box keeps."
    )
    profiles_dir: Path = Field(
        default=REPOSITORY / "hardware_profiles", description="One file per hardware tier."
    )
    demo_model_dir: Path = Field(
        default=REPOSITORY / "demo_model", description="The demonstration model that ships along."
    )
    web_dir: Path = Field(
        default=REPOSITORY / "onboarding_ui" / "dist", description="The built web application."
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8600, ge=0, le=65535, description="Port to listen on; 0 picks one.")
    socket: Path | None = Field(
        default=None, description="Unix socket to listen on instead, behind the box's proxy."
    )
    engine_socket: Path | None = Field(
        default=None,
        description="Unix socket behind which systemd starts engine processes; "
        "when not set, Allerac starts them itself.",
    )
    identity_dir: Path | None = Field(
        default=None, description="What the factory wrote: serial, device id, claim code's hash."
    )
    offered_certificate: Path | None = Field(
        default=None, description="Where the burn-in leaves its certificate for the station."
    )
    profile: str | None = Field(
        default=None, description="Hardware profile to use; detected when not set."
    )
    extra_hosts: tuple[str, ...] = Field(
        default=(), description="Further host names under which the box may be addressed."
    )
    announce: bool = Field(default=True, description="Announce the box on the network by mDNS.")
    model_source: str = Field(
        default="https://huggingface.co", description="Where pinned model files are fetched."
    )
    download_bytes_per_second: int | None = Field(
        default=None, ge=1, description="Limit for model downloads; none when not set."
    )
    update_config: Path | None = Field(
        default=None,
        description="What the image says about its updates; without it the system is not updated.",
    )
    drives_dir: Path = Field(
        default=Path("/run/media/allerac"), description="Where removable drives are mounted."
    )
    prove_seconds: float = Field(
        default=300, ge=30, le=3600, description="From the boot until a new system must work."
    )
    sensors_root: Path = Field(
        default=Path("/"),
        description="Root below which sensors are read; a recorded tree stands in for the machine.",
    )
    tpm: str = Field(
        default="device:/dev/tpmrm0",
        description="How the unit's TPM is reached at its first start: a TCTI of tpm2-tools.",
    )
    reserve_bytes: int = Field(
        default=0, ge=0, description="Room kept back on the disk, given up when it is full."
    )
    sample_seconds: float = Field(
        default=10.0, gt=0, description="Time between two readings of the sensors."
    )
    ssh_dir: Path | None = Field(
        default=None,
        description="Where the wish to open SSH is left; without it that is not offered.",
    )
    ssh_host_key: Path | None = Field(
        default=None, description="The public key by which SSH knows the box."
    )
    watched_dir: Path | None = Field(
        default=None, description="Folder whose documents belong to the household's library."
    )
    log_level: str = Field(default="info", description="debug, info, warning or error.")
