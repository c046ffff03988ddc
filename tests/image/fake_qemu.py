#!/usr/bin/env python3
"""Stands for QEMU: writes down its arguments, speaks QMP and says what a console would say.

Beside it lies `script.json`: `serial` is what the console says, `refuse` what it complains about
before it ends, `deaf` that it ignores the power button, `status` what the box behind port 80 says
of itself, with the HTTP status `code`.
"""

import json
import os
import re
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any


def answer(port: int, status: dict[str, Any], code: int) -> None:
    """Answer on `port` as the box's front door does."""

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(status).encode()
            self.send_response(code if self.path == "/api/v1/status" else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = HTTPServer(("127.0.0.1", port), Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def main() -> int:
    script = json.loads((Path(sys.argv[0]).parent / "script.json").read_text())
    Path("pid").write_text(str(os.getpid()))
    Path("arguments.json").write_text(json.dumps(sys.argv[1:]))
    if "refuse" in script:
        sys.stderr.write(script["refuse"])
        return 1
    if "status" in script:
        door = re.findall(r"127\.0\.0\.1:(\d+)-:80\b", " ".join(sys.argv))[0]
        answer(int(door), script["status"], script.get("code", 200))
    descriptor = int(re.findall(r"socket,id=monitor,fd=(\d+)", " ".join(sys.argv))[0])
    Path("serial.log").write_text(script.get("serial", ""), newline="")
    with socket.socket(fileno=descriptor) as connection, connection.makefile("rwb", 0) as lines:
        lines.write(b'{"QMP": {"version": {}}}\n')
        for line in lines:
            command = json.loads(line)["execute"]
            lines.write(b'{"event": "RTC_CHANGE"}\n{"return": {}}\n')
            if command == "system_powerdown" and not script.get("deaf"):
                return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
