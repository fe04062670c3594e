"""What is asked for: an experiment of a configuration, of a model in hand, or one to resume."""
