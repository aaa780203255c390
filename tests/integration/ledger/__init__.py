"""The ledger and its watcher on real servers."""
