"""Model files: which there are, fetching, checking, importing and removing them."""
