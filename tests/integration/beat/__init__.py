"""Our Beat, on real servers."""
