"""How a call becomes a message in a queue: as commands for Redis, or by an outbox and a relay for
other brokers.
"""
