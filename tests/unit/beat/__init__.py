"""What Beat decides while it fires."""
