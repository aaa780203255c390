"""What tests of `beatdesk up` share."""
