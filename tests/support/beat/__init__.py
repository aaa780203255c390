"""What tests of Beat share."""
