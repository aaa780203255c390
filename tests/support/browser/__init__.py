"""What tests in the browser share."""
