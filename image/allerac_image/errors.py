"""What can go wrong at the bench."""


class ImageError(Exception):
    """A step could not be done; the text says what happened and what to do next."""

    exit_status = 1


class BadInput(ImageError):  # noqa: N818  reads as what happened
    """The build was asked for what cannot be; nothing was begun."""

    exit_status = 2


class CommandFailed(ImageError):  # noqa: N818  reads as what happened
    """A program ended with a status other than zero."""

    def __init__(self, program: str, status: int) -> None:
        super().__init__(f"{program} ended with status {status}")
