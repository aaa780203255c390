"""The catalogue of jobs that workers offer, and the check of arguments against parameters."""
