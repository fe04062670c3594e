"""Commands that help before and after an experiment, and train nothing."""
