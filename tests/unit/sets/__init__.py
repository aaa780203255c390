"""Sets of schedules, their texts and plans: pure."""
