"""Facts: their vocabulary (`schema`, pure) and the stream that carries them (`stream`)."""
