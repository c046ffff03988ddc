"""Models elsewhere: only the owner adds them; everyone sees where questions go."""

from allerac.models.remote import RemoteModel

from .auth import Owner, SignedIn
from .routing import API, router_at
from .schemas import remote_models as shape
from .services import ServicesOf

router = router_at(f"{API}/remote-models", "models")


@router.get("", operation_id="listRemoteModels")
async def list_remote_models(_: SignedIn, services: ServicesOf) -> shape.RemoteModelList:
    """List the models elsewhere."""
    return shape.RemoteModelList(items=[_shape(model) for model in services.remote_models.all()])


@router.post("", operation_id="addRemoteModel", status_code=201)
async def add_remote_model(
    body: shape.AddRemoteModel, _: Owner, services: ServicesOf
) -> shape.RemoteModel:
    """Add a model elsewhere; from now on people may choose it."""
    return _shape(await services.remote_models.add(**body.model_dump()))


@router.patch("/{model_id}", operation_id="changeRemoteModel")
async def change_remote_model(
    model_id: str, body: shape.ChangeRemoteModel, _: Owner, services: ServicesOf
) -> shape.RemoteModel:
    """Rename it, switch it on or off, or enter another key."""
    changes = body.model_dump(exclude_none=True)
    return _shape(await services.remote_models.change(model_id, changes))


@router.post("/{model_id}/check", operation_id="checkRemoteModel")
async def check_remote_model(model_id: str, _: Owner, services: ServicesOf) -> shape.RemoteCheck:
    """Ask there whether the model is offered."""
    return shape.RemoteCheck(ok=await services.remote_models.check(model_id))


@router.delete("/{model_id}", operation_id="removeRemoteModel", status_code=204)
async def remove_remote_model(model_id: str, _: Owner, services: ServicesOf) -> None:
    """Forget it and its key."""
    await services.remote_models.remove(model_id)


def _shape(model: RemoteModel) -> shape.RemoteModel:
    fields = {name: getattr(model, name) for name in shape.RemoteModel.model_fields}
    return shape.RemoteModel(**fields)
