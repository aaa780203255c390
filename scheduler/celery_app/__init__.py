"""The Celery app: settings, priorities and queues for Beat, workers and whoever sends a job."""
