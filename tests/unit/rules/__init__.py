"""What schedules mean."""
