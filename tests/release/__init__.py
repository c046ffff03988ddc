"""The release tool, with real bundles and the client that boxes use."""
