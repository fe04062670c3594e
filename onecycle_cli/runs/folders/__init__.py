"""Numbered folders: their names, and the lock that one process at a time holds."""
