"""Candidates tried by short trainings and compared."""
