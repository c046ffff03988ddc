"""What the image says about its updates: `/etc/allerac/update.yaml`."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from allerac.errors import InvalidInput
from allerac.yaml_files import read_yaml

from .listing import Trust
from .offer import CHANNELS, ThisBox
from .version import Version


@dataclass(frozen=True, slots=True)
class UpdateConfiguration:
    """`url` is None for a box that takes updates from drives alone."""

    box: ThisBox
    trust: Trust
    url: str | None


def read_configuration(path: Path) -> UpdateConfiguration:
    """Read the file; raise `InvalidInput` with the reason when it is none.

    `tier` and `version` say what is installed, `built_at` (seconds since 1970) when it was made,
    `root` where the trust begins, `url` and `channel` where updates come from.
    """
    try:
        content: Any = read_yaml(path)
        url = content.get("url")
        return UpdateConfiguration(
            box=ThisBox(
                tier=str(content["tier"]),
                installed=Version.read(str(content["version"])),
                channel=_channel(content.get("channel", CHANNELS[0])),
            ),
            trust=Trust(
                root_file=Path(content["root"]),
                built_at=datetime.fromtimestamp(int(content["built_at"]), UTC),
            ),
            url=None if url is None else _url(url),
        )
    except (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidInput(f"{path} does not describe updates: {error!r}.") from error


def _channel(name: object) -> str:
    if name not in CHANNELS:
        raise ValueError(f"{name!r} is no channel")
    return str(name)


def _url(url: object) -> str:
    if not isinstance(url, str) or not url.startswith(("https://", "http://")):
        raise ValueError(f"{url!r} is no address of a server")
    return url
