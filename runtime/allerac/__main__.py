"""`python -m allerac`."""

from allerac.cli import main

main()
