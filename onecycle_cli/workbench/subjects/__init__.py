"""What is trained: a model that a configuration describes, or one that is in hand."""
