"""The suite.

unit/ is pure, with sockets blocked; integration/ has real servers; architecture/ holds the fences;
e2e/ walks the road.
"""
