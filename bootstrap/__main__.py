"""`python3 -m bootstrap PURPOSE`: prepare what that needs, and nothing twice."""

import sys
from collections.abc import Callable

from .engine import prepare_engine
from .engine_source import prepare_templates
from .image import prepare_ansible, prepare_emulator, prepare_image_tools, prepare_station
from .interpreter import prefer_the_systems
from .python import prepare_development, prepare_factory, prepare_python
from .steps import StepFailed, say
from .system import prepare_test_programs
from .web import check_web, prepare_node_modules, prepare_web

STEPS: dict[str, tuple[Callable[[], None], ...]] = {
    "python": (prepare_development,),
    "run": (prepare_python, prepare_engine, prepare_web),
    "test": (
        prepare_development,
        prepare_engine,
        prepare_templates,
        prepare_node_modules,
        prepare_web,
        prepare_test_programs,
        prepare_image_tools,
    ),
    "lint-ui": (prepare_node_modules, check_web),
    "image": (prepare_python, prepare_web, prepare_image_tools),
    "vm": (prepare_python, prepare_emulator),
    "factory": (prepare_factory, prepare_station),
    "install": (prepare_python, prepare_web, prepare_ansible),
}
"""Purpose → what it needs, in order."""


def main(purpose: str) -> int:
    """Prepare for `purpose`; return the exit status."""
    try:
        for prepare in STEPS[purpose]:
            prepare()
    except StepFailed as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in STEPS:
        say(f"usage: python3 -m bootstrap {'|'.join(STEPS)}")
        sys.exit(2)
    prefer_the_systems(sys.argv[1:])
    sys.exit(main(sys.argv[1]))
