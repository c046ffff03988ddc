"""The support bundle: what a helper needs to see, without secrets and without people's words."""

from .redact import Redactor
from .report import Section, Source, SupportReport, SupportService

__all__ = ["Redactor", "Section", "Source", "SupportReport", "SupportService"]
