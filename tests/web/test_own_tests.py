"""The web application's own tests run in Node, beside all others."""

import pytest

from bootstrap.web import npm

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_the_tests_of_the_web_application_pass() -> None:
    """A second worker of Vitest would read the application anew."""
    npm("run", "--silent", "test", "--", "--maxWorkers=1", log="web-test")
