"""Lives of schedules, for tests of the ledger."""
