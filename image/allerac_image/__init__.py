"""Makes the image of a tier: the disk, its update bundle and the lists of what is in them."""
