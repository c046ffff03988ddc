"""`python3 -m bootstrap run|test|python`: prepare what that needs, and nothing twice."""

import sys

from .engine import prepare_engine
from .python import prepare_python
from .steps import StepFailed, say
from .system import prepare_test_programs
from .web import prepare_web


def main(purpose: str) -> int:
    """Prepare for `purpose`; return the exit status."""
    try:
        prepare_python(development=purpose != "run")
        if purpose in {"run", "test"}:
            prepare_engine()
            prepare_web()
        if purpose == "test":
            prepare_test_programs()
    except StepFailed as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    purposes = {"run", "test", "python"}
    if len(sys.argv) != 2 or sys.argv[1] not in purposes:
        say(f"usage: python3 -m bootstrap {'|'.join(sorted(purposes))}")
        sys.exit(2)
    sys.exit(main(sys.argv[1]))
