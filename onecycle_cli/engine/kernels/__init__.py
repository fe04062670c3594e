"""Faster operations for stock layers, while a model is trained; saved models are stock ones."""
