"""Run as `python3 -S /opt/allerac/rescue serve | act <name>`, by the system's own Python."""

import sys

from allerac_rescue.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
