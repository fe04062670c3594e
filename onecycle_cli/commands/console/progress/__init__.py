"""What a person sees while an experiment runs: bars on a terminal, plain lines in a pipe."""
