"""The first-boot wizard."""

from typing import Annotated, Literal

from pydantic import Field

from .accounts import SessionView
from .box import Hardware
from .models import ModelCard
from .shapes import Language, Password, PersonName, Request, Response

Step = Literal["language", "claim", "owner", "box", "model", "privacy", "ready"]


class OnboardingState(Response):
    """Where the wizard stands; drafts are shown only to whoever proved the claim code."""

    step: Step
    steps: list[Step]
    language: Language
    code_verified: bool
    owner_name: str | None = None
    recovery_saved: bool = False
    box_name: str | None = None
    time_zone: str | None = None
    hostname_preview: str | None = None
    model_id: str | None = None
    download_model: bool = False
    automatic_updates: bool = True
    update_hour: int = 3


class SetLanguage(Request):
    language: Language


class VerifyClaimCode(Request):
    code: Annotated[str, Field(min_length=1, max_length=32)]


class SetOwner(Request):
    name: PersonName
    password: Password


class OwnerSet(Response):
    """The recovery code is shown this once."""

    state: OnboardingState
    recovery_code: str


class SetBox(Request):
    name: Annotated[str, Field(min_length=1, max_length=40)]
    time_zone: Annotated[str, Field(min_length=1, max_length=64)]


class OnboardingModels(Response):
    """`embedding` is fetched with the chosen model, unless it is on board."""

    items: list[ModelCard]
    embedding: ModelCard | None
    hardware: Hardware


class SetModel(Request):
    model_id: Annotated[str, Field(min_length=1, max_length=128)]
    download: bool = False


class SetPrivacy(Request):
    automatic_updates: bool
    update_hour: Annotated[int, Field(ge=0, le=23)]


class Claimed(SessionView):
    """The wizard is done; `url` and its QR open the box on a phone."""

    url: str
    qr_svg: str
