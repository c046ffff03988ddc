"""Model files: list, fetch, verify, remove, choose."""

from pathlib import Path

from .auth import Administrator, SignedIn
from .routing import API, router_at
from .schemas import models as shape
from .services import Services, ServicesOf

router = router_at(f"{API}/models", "models")


async def _card(services: Services, model_id: str) -> shape.ModelCard:
    return shape.ModelCard.model_validate(await services.models.get(model_id))


@router.get("", operation_id="listModels")
async def list_models(_: SignedIn, services: ServicesOf) -> shape.ModelList:
    """List what is on board and what this machine could run."""
    return shape.ModelList.model_validate(await services.models.listing())


@router.put("/default", operation_id="setDefaultModel")
async def set_default_model(
    body: shape.SetDefaultModel, _: Administrator, services: ServicesOf
) -> shape.ModelCard:
    """Answer with this model from now on."""
    await services.models.set_default(body.model_id)
    return await _card(services, body.model_id)


@router.post("/import", operation_id="importModel", status_code=201)
async def import_model(
    body: shape.ImportModel, _: Administrator, services: ServicesOf
) -> shape.ModelCard:
    """Take in a model from a file on the box."""
    card = await services.models.import_file(Path(body.path), title=body.title)
    return await _card(services, card.id)


@router.get("/{model_id}", operation_id="getModel")
async def get_model(model_id: str, _: SignedIn, services: ServicesOf) -> shape.ModelCard:
    """Tell about one model."""
    return await _card(services, model_id)


@router.post("/{model_id}/download", operation_id="downloadModel", status_code=202)
async def download_model(model_id: str, _: Administrator, services: ServicesOf) -> shape.ModelCard:
    """Begin the download, or go on with it."""
    await services.models.download(model_id)
    return await _card(services, model_id)


@router.post("/{model_id}/download/pause", operation_id="pauseDownload")
async def pause_download(model_id: str, _: Administrator, services: ServicesOf) -> shape.ModelCard:
    """Pause the download; what has arrived is kept."""
    await services.models.pause(model_id)
    return await _card(services, model_id)


@router.post("/{model_id}/download/resume", operation_id="resumeDownload")
async def resume_download(model_id: str, _: Administrator, services: ServicesOf) -> shape.ModelCard:
    """Go on where the download was paused."""
    await services.models.resume(model_id)
    return await _card(services, model_id)


@router.delete("/{model_id}/download", operation_id="cancelDownload", status_code=204)
async def cancel_download(model_id: str, _: Administrator, services: ServicesOf) -> None:
    """End the download and drop what has arrived."""
    await services.models.cancel(model_id)


@router.post("/{model_id}/verify", operation_id="verifyModel")
async def verify_model(model_id: str, _: Administrator, services: ServicesOf) -> shape.VerifyResult:
    """Read the whole file again and compare it with its pin."""
    return shape.VerifyResult.model_validate(await services.models.verify(model_id))


@router.delete("/{model_id}", operation_id="removeModel", status_code=204)
async def remove_model(model_id: str, _: Administrator, services: ServicesOf) -> None:
    """Delete the model's file."""
    await services.models.remove(model_id)
