"""What can go wrong at a station, beside what can at the bench."""

from allerac_image.errors import ImageError

IMAGE = "image"
"""The cause of units that are lost with their image: it is not what was signed."""


class UnitFailed(ImageError):  # noqa: N818  reads as what happened
    """One unit is lost, the others go on; `cause` is what the report counts failures by."""

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(message)
        self.cause = cause
