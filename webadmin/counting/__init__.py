"""Counts of what was tried, and what a count is about: an account, a device, a network.

counters    counts in Redis, or in this process during an outage of Redis
names       names of counts, without addresses of people
"""
