"""Catalogue of the jobs offered by workers, and the check of arguments against parameters."""
