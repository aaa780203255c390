"""Faults for workers, recorders, servers and queues, while jobs run; and what must hold afterwards."""
