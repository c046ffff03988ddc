"""What can go wrong at the bench."""


class ImageError(Exception):
    """A step could not be done; the text says what happened and what to do next."""
