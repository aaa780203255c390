"""What tests of schedules share."""
