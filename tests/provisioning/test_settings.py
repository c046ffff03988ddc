"""The settings that the services get are ones the runtime knows."""

from pathlib import Path

import jinja2
import pytest

from allerac.hardware.profile import load_profiles
from allerac.settings import Settings

REPOSITORY = Path(__file__).parents[2]
TEMPLATES = REPOSITORY / "provisioning" / "roles" / "runtime" / "templates"
TIERS = sorted(
    path.stem for path in (REPOSITORY / "hardware_profiles").glob("*.yaml") if path.stem != "models"
)


def _render(name: str, **values: object) -> str:
    loader = jinja2.FileSystemLoader(TEMPLATES)
    environment = jinja2.Environment(loader=loader, undefined=jinja2.StrictUndefined)  # noqa: S701  # a file of settings, no page
    return environment.get_template(name).render(ansible_managed="made", **values)


@pytest.mark.parametrize("tier", TIERS)
def test_every_line_is_a_setting_and_the_profile_exists(
    tier: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = _render("etc/allerac/allerac.env.j2", runtime_tier=tier)
    lines = [line.split("=", 1) for line in text.splitlines() if not line.startswith("#")]
    for name, value in lines:
        assert name.removeprefix("ALLERAC_").lower() in Settings.model_fields
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.profile in load_profiles(REPOSITORY / "hardware_profiles").by_id
    assert settings.socket == Path("/run/allerac/runtime.sock")
    assert settings.engine_socket == Path("/run/allerac-engine/engine.sock")


def test_watched_folder_is_made_for_the_runtime_and_whoever_is_of_its_group() -> None:
    text = _render("etc/allerac/allerac.env.j2", runtime_tier=TIERS[0])
    settings = dict(line.split("=", 1) for line in text.splitlines() if not line.startswith("#"))
    folders = TEMPLATES.parent / "files" / "etc" / "tmpfiles.d" / "allerac.conf"
    made = [line.split() for line in folders.read_text("utf-8").splitlines()]
    wanted = ["d", settings["ALLERAC_WATCHED_DIR"], "2770", "allerac", "allerac", "-"]
    assert wanted in made
