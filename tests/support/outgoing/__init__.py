"""What the tests of outgoing requests share."""
