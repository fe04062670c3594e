"""The experiments behind the commands; each is a function from a configuration to a result."""
