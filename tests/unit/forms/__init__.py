"""The console's forms: what is typed, read as what is meant."""
