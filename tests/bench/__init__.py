"""Benchmarks: run one with `python -m tests.bench.<name>`. They print figures and assert nothing;
no test runs them.
"""
