"""Runs that are kept in an object store, and worked on in a folder of this machine."""
