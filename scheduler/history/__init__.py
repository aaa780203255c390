"""Facts folded into SQL, and the questions asked of it."""
