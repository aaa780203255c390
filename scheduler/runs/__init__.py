"""A run's data: message headers, leases, cancellations, deduplication, and starting by hand."""
