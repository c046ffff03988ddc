"""The support bundle: what a helper needs to see, without secrets and without people's words."""

from .redact import Redactor
from .report import Section, SupportReport, SupportService

__all__ = ["Redactor", "Section", "SupportReport", "SupportService"]
