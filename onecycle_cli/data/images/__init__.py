"""Folders of image files: found by their classes, decoded, and kept in a cache."""
