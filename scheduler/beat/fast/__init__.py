"""The fast path of dispatch: runs that differ from the one before them in their tick only."""
