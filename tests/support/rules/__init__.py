"""What tests of the rules share."""
