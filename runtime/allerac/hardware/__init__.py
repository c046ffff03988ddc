"""The machine, its tier and what can be expected of it. The only door to psutil and sysfs."""
