"""How the box is found: names, addresses, multicast DNS. The only door to zeroconf."""
