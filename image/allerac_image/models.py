"""Models that are on the data partition from the beginning."""

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from allerac.yaml_files import read_yaml

from .contents import Component
from .errors import CommandFailed, ImageError
from .log import StepLog
from .plan import PROFILES, Plan

FOLDER = "models"
"""In the runtime's data folder: one folder for each model, with the file and its manifest."""

MANIFEST = "manifest.json"


def prepare_models(plan: Plan, log: StepLog) -> None:
    """Have every model that is preloaded in the cache: fetched and verified by Allerac itself."""
    environment = {**os.environ, "ALLERAC_DATA_DIR": str(plan.models)}
    for model in models_of(plan):
        pull = [sys.executable, "-m", "allerac", "models", "pull", model]
        if not is_kept(plan, model):
            try:
                log.run(pull, name="allerac models pull", environment=environment)
            except CommandFailed as error:
                raise ImageError(
                    f"{model} could not be fetched. Build again: what has arrived is kept. "
                    "MODELS=none makes an image without models."
                ) from error
        _refuse_another_file(plan, model)


def is_kept(plan: Plan, model: str) -> bool:
    """Return whether `model` was fetched for an earlier image."""
    return (plan.models / FOLDER / model / MANIFEST).is_file()


def _refuse_another_file(plan: Plan, model: str) -> None:
    """Refuse what was kept when the catalogue had another file under this name."""
    folder = plan.models / FOLDER / model
    kept = json.loads((folder / MANIFEST).read_text("utf-8"))["sha256"]
    if kept != _catalogue()[model]["sha256"]:
        raise ImageError(
            f"The kept file of {model} is not the one that the catalogue names now. "
            f"Remove {folder} and build again."
        )


def models_of(plan: Plan) -> list[str]:
    """Return the models that this build preloads."""
    return list(plan.tier.image["preload"]) if plan.preload else []


def size_of_models(models: list[str]) -> int:
    """Return the bytes of `models` together, as the catalogue says."""
    catalogue = _catalogue()
    return sum(int(catalogue[model]["size_bytes"]) for model in models)


def _catalogue() -> dict[str, Mapping[str, Any]]:
    """Return what is pinned of each model, by its id."""
    pins = read_yaml(PROFILES / "models.yaml")
    return {pin["id"]: pin for pin in pins}


def preloaded(plan: Plan) -> list[Component]:
    """Return the models that this build preloads, as the catalogue pins them."""
    catalogue = _catalogue()
    pins = [catalogue[model] for model in models_of(plan)]
    return [
        Component(
            name=pin["id"],
            version=pin["revision"],
            architecture="",
            purl=f"pkg:huggingface/{pin['repository']}@{pin['revision']}#{quote(pin['file'])}",
            licences=(pin["licence"],),
            size_bytes=pin["size_bytes"],
            kind="machine-learning-model",
        )
        for pin in pins
    ]


def copy_models(plan: Plan, target: Path) -> None:
    """Copy the preloaded models into `target`, each read again and compared with its manifest."""
    for model in models_of(plan):
        source = plan.models / FOLDER / model
        manifest = json.loads((source / MANIFEST).read_text("utf-8"))
        folder = target / model
        folder.mkdir(parents=True)
        for name in (manifest["file"], MANIFEST):
            shutil.copyfile(source / name, folder / name)
        with (folder / manifest["file"]).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != manifest["sha256"]:
            raise ImageError(
                f"The kept file of {model} is damaged. Remove {source} and build again."
            )
