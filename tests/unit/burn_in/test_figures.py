"""What the factory measured is what the box begins to estimate with."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from allerac.app.engine import build_speeds, launch_of
from allerac.app.hardware import read_hardware
from allerac.app.models import build_model_service
from allerac.burn_in import Keeper, read_figures
from allerac.engine.supervisor import EngineSupervisor
from allerac.settings import Settings

from .test_burn_in import KEY, NOW, burn_in


async def kept(folder: Path) -> dict[str, Any]:
    """Keep the certificate of a burn-in in `folder`, as a unit does; return what it says."""
    body = await burn_in(folder / "unit")
    Keeper(folder).keep({"certificate": body, "signature": ""}, KEY)
    return body


async def test_figures_are_those_of_the_burn_in(tmp_path: Path) -> None:
    body = await kept(tmp_path)
    figures = read_figures(tmp_path)
    assert figures is not None
    (check,) = [one for one in body["checks"] if one["name"] == "inference"]
    assert (figures.model_id, figures.version) == (check["measured"]["model"], "1.2.3")
    assert (figures.prefill_tokens_per_second, figures.decode_tokens_per_second) == (34.0, 17.0)
    assert figures.measured_at == NOW == datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


async def test_box_with_a_certificate_knows_its_speed_before_it_measured_any(
    tmp_path: Path,
) -> None:
    await kept(tmp_path)
    settings = Settings(data_dir=tmp_path / "data", identity_dir=tmp_path)
    settings.data_dir.mkdir()
    models = build_model_service(settings, read_hardware(settings))
    speeds = build_speeds(settings, EngineSupervisor(launch=launch_of(settings)), models)
    await speeds.start()
    await speeds.stop()
    (known,) = (await speeds.record()).calibrations
    assert (known.prefill_tokens_per_second, known.decode_tokens_per_second) == (34.0, 17.0)


@pytest.mark.parametrize("figure", [None, 0, -1.0, float("nan"), "fast", [1]])
async def test_figure_that_is_none_is_not_believed(tmp_path: Path, figure: object) -> None:
    body = await kept(tmp_path)
    (check,) = [one for one in body["checks"] if one["name"] == "inference"]
    check["measured"]["decode_tokens_per_second"] = figure
    Keeper(tmp_path).keep({"certificate": body, "signature": ""}, KEY)
    assert read_figures(tmp_path) is None


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"certificate": {"checks": []}}'])
def test_certificate_that_is_torn_says_nothing(tmp_path: Path, content: str) -> None:
    assert read_figures(None) is None
    assert read_figures(tmp_path) is None
    (tmp_path / "birth-certificate.json").write_text(content)
    assert read_figures(tmp_path) is None
