"""The health of Beat, workers, recorder, Redis, broker and SQL, each fault with its remedy."""
