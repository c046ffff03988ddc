"""The first-boot wizard; every route is gone once the box is claimed."""

from fastapi import Depends, Request, Response

from .auth import Anyone, SetupToken, address_of, agent_of
from .cookies import SESSION, SETUP
from .qr import qr_svg
from .routing import API, router_at
from .schemas import models as model_shape
from .schemas import onboarding as shape
from .schemas.accounts import SessionView
from .schemas.box import Hardware
from .services import Services, ServicesOf


async def unclaimed(services: ServicesOf) -> None:
    """Answer `Gone` after the claim, whatever the body says."""
    await services.onboarding.require_unclaimed()


router = router_at(f"{API}/onboarding", "onboarding", dependencies=[Anyone, Depends(unclaimed)])


async def _state(services: Services, token: str | None) -> shape.OnboardingState:
    state = await services.onboarding.state(token)
    shown = shape.OnboardingState.model_validate(state)
    if shown.box_name:
        shown.hostname_preview = services.box.hostname_for(shown.box_name)
    return shown


@router.get("", operation_id="getOnboarding")
async def get_onboarding(services: ServicesOf, proof: SetupToken) -> shape.OnboardingState:
    """Tell where the wizard stands."""
    return await _state(services, proof)


@router.put("/language", operation_id="setOnboardingLanguage")
async def set_language(
    body: shape.SetLanguage, services: ServicesOf, proof: SetupToken
) -> shape.OnboardingState:
    """Choose the language."""
    await services.onboarding.set_language(body.language)
    return await _state(services, proof)


@router.post("/claim", operation_id="verifyClaimCode")
async def verify_claim_code(
    body: shape.VerifyClaimCode, request: Request, response: Response, services: ServicesOf
) -> shape.OnboardingState:
    """Prove that the box is yours by the code on its label or console."""
    token = await services.onboarding.verify_code(body.code, address=address_of(request))
    SETUP.set(request, response, token)
    return await _state(services, token)


@router.put("/owner", operation_id="setOnboardingOwner")
async def set_owner(
    body: shape.SetOwner, services: ServicesOf, proof: SetupToken
) -> shape.OwnerSet:
    """Name the owner; answers with the recovery code."""
    code = await services.onboarding.set_owner(proof, name=body.name, password=body.password)
    return shape.OwnerSet(state=await _state(services, proof), recovery_code=code)


@router.put("/recovery-saved", operation_id="confirmRecoverySaved")
async def confirm_recovery_saved(services: ServicesOf, proof: SetupToken) -> shape.OnboardingState:
    """Confirm that the recovery code is kept in a safe place."""
    await services.onboarding.confirm_recovery_saved(proof)
    return await _state(services, proof)


@router.put("/box", operation_id="setOnboardingBox")
async def set_box(
    body: shape.SetBox, services: ServicesOf, proof: SetupToken
) -> shape.OnboardingState:
    """Name the box and set its time zone."""
    await services.onboarding.set_box(proof, name=body.name, time_zone=body.time_zone)
    return await _state(services, proof)


@router.get("/models", operation_id="listOnboardingModels")
async def list_models(services: ServicesOf, proof: SetupToken) -> shape.OnboardingModels:
    """List what this machine can run."""
    await services.onboarding.require_setup(proof)
    listing = await services.models.listing()
    return shape.OnboardingModels(
        items=[model_shape.ModelCard.model_validate(card) for card in listing.items],
        embedding=model_shape.ModelCard.model_validate(listing.embedding)
        if listing.embedding
        else None,
        hardware=Hardware.model_validate(services.box.hardware()),
    )


@router.put("/model", operation_id="setOnboardingModel")
async def set_model(
    body: shape.SetModel, services: ServicesOf, proof: SetupToken
) -> shape.OnboardingState:
    """Choose the model; a download begins when the wizard is done."""
    await services.onboarding.require_setup(proof)
    services.models.require_known(body.model_id)
    await services.onboarding.set_model(proof, model_id=body.model_id, download=body.download)
    return await _state(services, proof)


@router.put("/privacy", operation_id="setOnboardingPrivacy")
async def set_privacy(
    body: shape.SetPrivacy, services: ServicesOf, proof: SetupToken
) -> shape.OnboardingState:
    """Choose when the box updates itself."""
    await services.onboarding.set_privacy(
        proof,
        automatic_updates=body.automatic_updates,
        update_hour=body.update_hour,
    )
    return await _state(services, proof)


@router.post("/finish", operation_id="finishOnboarding", status_code=201)
async def finish(
    request: Request,
    response: Response,
    services: ServicesOf,
    proof: SetupToken,
) -> shape.Claimed:
    """Claim the box: one owner, whatever happens."""
    claimed = await services.onboarding.finish(
        proof, agent=agent_of(request), address=address_of(request)
    )
    await services.box.claimed()
    await services.models.begin(claimed.model_id, download=claimed.download_model)
    SESSION.set(request, response, claimed.token)
    SETUP.delete(request, response)
    url = services.box.url()
    view = SessionView.model_validate(claimed)
    return shape.Claimed(
        person=view.person, expires_at=view.expires_at, url=url, qr_svg=qr_svg(url)
    )
