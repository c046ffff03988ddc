"""Names that nobody gave: what a template or a cheap drive says where a name should be."""

import re

PHRASES = {
    "changeme",
    "default",
    "defaultstring",
    "example",
    "invalid",
    "name",
    "none",
    "notspecified",
    "null",
    "operator",
    "placeholder",
    "serial",
    "serialnumber",
    "station",
    "systemserialnumber",
    "tbd",
    "test",
    "tobefilledbyoem",
    "todo",
    "unknown",
    "yourname",
}
COUNTING = "01234567890123456789abcdef"


def is_placeholder(text: str) -> bool:
    """Tell whether `text` names nothing: a phrase of a template, one sign again and again,
    signs counted upwards, or words in angle brackets.
    """
    plain = re.sub(r"[^a-z0-9]", "", text.casefold())
    if not plain or text.strip().startswith("<"):
        return True
    is_counted = len(plain) >= 4 and plain in COUNTING
    is_one_sign = len(plain) >= 3 and len(set(plain)) == 1
    return plain in PHRASES or is_counted or is_one_sign
