"""A connection with a fixed address, as NetworkManager keeps it (nm-settings-keyfile(5))."""

FILE = "fixed.nmconnection"


def fixed_connection(address: str, *, ipv6: str = "ignore") -> str:
    """Return the file's text; `address` is with its prefix, `ipv6` the method for the other."""
    return f"""[connection]
id=Fixed
uuid=0c6d0b1e-6b5c-4a5e-9a55-0d3a4d5c7f10
type=ethernet
autoconnect-priority=10

[ipv4]
method=manual
address1={address}

[ipv6]
method={ipv6}
"""
