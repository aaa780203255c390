"""Coverage-guided fuzzing, for the night: `make fuzz`. No test of the suite."""
