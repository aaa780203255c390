"""What tests of the history share."""
