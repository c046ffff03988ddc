"""`make lock`: resolve the requirements and write them with hashes, without any address."""

from .steps import PYTHON, REPOSITORY, run

FOLDER = REPOSITORY / "requirements"

LOCKS = {
    "runtime.txt": ["pyproject.toml"],
    "development.txt": ["pyproject.toml", "--group", "dev"],
    "engine.txt": ["requirements/engine.in", "--no-deps", "--no-binary", "llama-cpp-python"],
    "node.txt": ["requirements/node.in"],
    "train.txt": ["requirements/train.in"],
}
"""File in `requirements/` → what uv resolves for it."""

FORM = ["--generate-hashes", "--no-annotate", "--no-header", "--python-version", "3.11"]


def main() -> None:
    """Write every lock file anew."""
    run([str(PYTHON), "-m", "pip", "install", "uv"], log="uv")
    for name, sources in LOCKS.items():
        uv = str(PYTHON.with_name("uv"))
        run([uv, "pip", "compile", *FORM, *sources, "-o", str(FOLDER / name)], log=f"lock-{name}")


if __name__ == "__main__":
    main()
