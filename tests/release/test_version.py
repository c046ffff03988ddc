"""Which of two versions is the newer one."""

import itertools

import pytest

from allerac_image.errors import BadInput
from allerac_release.version import Version

IN_ORDER = [
    "0.0.0", "0.9.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta",
    "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.2.0", "1.10.0", "10.0.0",
]  # fmt: skip
"""The example of semver.org, 11.4, within others."""


def test_versions_are_ordered_as_semantic_versioning_says() -> None:
    versions = [Version.read(text) for text in IN_ORDER]
    for older, newer in itertools.pairwise(versions):
        assert older < newer
        assert newer != older


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.2",
        "1.2.3.4",
        "01.2.3",
        "v1.2.3",
        "1.2.3-",
        "1.2.3+5",
        "1.2.3\n",
        "1.1\u0662.3",
        "1.0.0-01",
    ],
)
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="is no version"):
        Version.read(text)
