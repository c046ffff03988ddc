"""The factory: from bare drives to labelled, proven units. Runs at a station, never on a box."""
