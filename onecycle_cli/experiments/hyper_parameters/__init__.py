"""Which value to use for each hyper-parameter, where it came from, and what it depends on."""
