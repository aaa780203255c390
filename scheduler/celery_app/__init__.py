"""The Celery app: settings, priorities and queues for Beat, workers and senders of jobs."""
