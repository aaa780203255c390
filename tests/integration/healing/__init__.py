"""Redis loses schedules, in every way that it can, and gets them back."""
