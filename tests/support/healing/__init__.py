"""What tests of healing share."""
