"""Events: the vocabulary (`schema` and `edits`, pure) and the stream in Redis (`stream`)."""
