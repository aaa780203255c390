"""Benchmarks: run one with `python -m tests.bench.<name>`. Figures are printed, not asserted.

No test runs a benchmark.
"""
