"""Runs read from their folders, finished or not: where each stands, and what it says."""
