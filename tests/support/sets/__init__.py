"""What tests of schedule sets share."""
