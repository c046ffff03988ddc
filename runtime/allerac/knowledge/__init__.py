"""Knowledge: the household's own documents, taken in, found again, and cited."""
