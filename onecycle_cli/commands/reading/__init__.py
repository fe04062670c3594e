"""The commands that show saved runs."""
