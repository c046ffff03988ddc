"""Everything a fresh Debian machine needs to run and test Allerac; standard library only."""
