"""What happens in a worker process: from a message that arrives to the events of its run."""
