"""A start loads what it needs: every library more is a second on the smallest machines."""

import subprocess
import sys
from pathlib import Path

from allerac.app import create_app
from allerac.app.web import ROUTERS
from allerac.settings import Settings


def test_a_start_does_not_load_what_only_a_later_question_needs() -> None:
    later = {
        "jinja2",  # of the engine's process
        "llama_cpp",
        "numpy",
        "lxml",  # of the process that reads documents
        "pypdfium2",
        "securesystemslib",  # of the daily question for updates
        "tuf",
        "urllib3",
        "segno",  # of the first QR code
        "sqlite3",  # ours is pysqlite3
        "sqlite_utils",
        "sqlalchemy.dialects.postgresql",  # of the hub
    }
    question = f"import allerac.serving, sys; print(*sorted({later!r} & set(sys.modules)))"
    loaded = subprocess.run(
        [sys.executable, "-c", question],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert loaded.stdout.split() == []


def test_no_route_is_made_a_second_time_while_the_first_request_waits(tmp_path: Path) -> None:
    app = create_app(Settings(data_dir=tmp_path, announce=False), port=80)
    served = set(map(id, app.routes))
    assert all(id(route) in served for module in ROUTERS for route in module.router.routes)
