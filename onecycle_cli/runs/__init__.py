"""A run on disk: its folder, its files, and what takes it up again."""
