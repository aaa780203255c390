"""Calls become messages in queues: as commands for Redis, or by an outbox and a relay for other
brokers.
"""
