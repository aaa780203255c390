"""What tests stand on: real servers, real processes, waiting for facts, and builders of plain data.
No doubles.
"""
