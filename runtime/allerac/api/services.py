"""The services that the routers speak to, handed in once by the composition root."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from allerac.accounts import AccountService
from allerac.assistants.service import AssistantService
from allerac.box import BoxService
from allerac.burn_in import CertificateOffer
from allerac.chat import ChatService, CompletionService, TrialService
from allerac.chat.pictures import PictureService
from allerac.health import HealthService, Metrics
from allerac.health.alerts import AlertService
from allerac.health.support import SupportService
from allerac.knowledge.folders import FolderService
from allerac.knowledge.service import KnowledgeService
from allerac.models import ModelRoom
from allerac.models.remote import RemoteModels
from allerac.models.speeds import SpeedKeeper
from allerac.onboarding import OnboardingService
from allerac.ssh import SshService
from allerac.updates import UpdateService


@dataclass(frozen=True, slots=True)
class Services:
    """One of each; built in `allerac.app`."""

    accounts: AccountService
    alerts: AlertService
    assistants: AssistantService
    birth: CertificateOffer
    box: BoxService
    chat: ChatService
    completions: CompletionService
    folders: FolderService
    health: HealthService
    knowledge: KnowledgeService
    metrics: Metrics
    models: ModelRoom
    onboarding: OnboardingService
    pictures: PictureService
    remote_models: RemoteModels
    speeds: SpeedKeeper
    ssh: SshService
    support: SupportService
    trials: TrialService
    updates: UpdateService


def services_of(request: Request) -> Services:
    """Return the services of the application that serves `request`."""
    services: Services = request.app.state.services
    return services


ServicesOf = Annotated[Services, Depends(services_of)]
