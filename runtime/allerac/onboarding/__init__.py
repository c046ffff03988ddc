"""The first-boot wizard: from a box that is nobody's to one with an owner."""

from .service import OnboardingService, Secrets

__all__ = ["OnboardingService", "Secrets"]
