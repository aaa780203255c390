"""Which jobs workers offer, as data, and whether arguments fit a job's parameters."""
