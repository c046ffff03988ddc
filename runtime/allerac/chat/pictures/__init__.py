"""Pictures that people send with a message: shown in the conversation, read by no model."""

from .service import PictureService

__all__ = ["PictureService"]
