#!/usr/bin/env python3
"""Stands for QEMU: writes down its arguments, speaks QMP and says what a console would say.

Beside it lies `script.json`: `serial` is what the console says, `refuse` what it complains about
before it ends, `deaf` that it ignores the power button.
"""

import json
import re
import socket
import sys
from pathlib import Path


def main() -> int:
    script = json.loads((Path(sys.argv[0]).parent / "script.json").read_text())
    Path("arguments.json").write_text(json.dumps(sys.argv[1:]))
    if "refuse" in script:
        sys.stderr.write(script["refuse"])
        return 1
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
