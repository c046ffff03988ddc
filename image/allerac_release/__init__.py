"""The release tool: which bundles boxes are offered, in which channel, and to how many."""
