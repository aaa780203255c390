"""The worker process: from a message that arrives to the events of its run."""
