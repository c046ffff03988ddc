"""What the project promises, measured side by side and printed as tables."""
