"""`make lock`: resolve the requirements and write them with hashes, without any address.

`python -m bootstrap.lock image.txt` writes only that file.
"""

import sys

from .steps import PYTHON, REPOSITORY, run, say

FOLDER = REPOSITORY / "requirements"

LOCKS = {
    "runtime.txt": ["pyproject.toml"],
    "development.txt": ["pyproject.toml", "--group", "dev"],
    "factory.txt": ["pyproject.toml", "--group", "factory"],
    "engine.txt": ["requirements/engine.in", "--no-deps", "--no-binary", "llama-cpp-python"],
    "node.txt": ["requirements/node.in"],
    "train.txt": ["requirements/train.in"],
    "image.txt": ["requirements/image.in"],
    "wheel.txt": ["requirements/wheel.in"],
}
"""File in `requirements/` → what uv resolves for it."""

FORM = ["--generate-hashes", "--no-annotate", "--no-header", "--python-version", "3.11"]


def main(names: list[str]) -> int:
    """Write the lock files called `names` anew, all without a name; returns the exit status."""
    if unknown := set(names) - set(LOCKS):
        say(f"There is no lock {', '.join(sorted(unknown))}; there are {', '.join(LOCKS)}.")
        return 2
    run([str(PYTHON), "-m", "pip", "install", "uv"], log="uv")
    for name in names or LOCKS:
        uv = str(PYTHON.with_name("uv"))
        run(
            [uv, "pip", "compile", *FORM, *LOCKS[name], "-o", str(FOLDER / name)],
            log=f"lock-{name}",
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
