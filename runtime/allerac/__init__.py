"""Allerac: what runs on the box."""
