"""The broker's queues: what waits in them, who reads them; removal and moving of messages."""
