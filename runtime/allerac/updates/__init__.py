"""Updates: found by signed metadata, installed while in use, kept only when they work."""
