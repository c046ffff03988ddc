"""How the box is: what is measured, what is wrong, what is done about it, and who is told."""
