"""The ground of the tests: real servers, real processes, waiting for facts, and builders of plain
data. No doubles.
"""
