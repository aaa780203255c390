"""How Beat, workers, recorder, Redis, broker and SQL are, and what to do about what is not well."""
