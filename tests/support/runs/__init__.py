"""What tests of runs share."""
