"""What a person is told before a command runs: help, examples, completion in the shell."""
