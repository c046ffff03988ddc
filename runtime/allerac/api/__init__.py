"""HTTP in, HTTP out: one router per resource, no decisions."""
