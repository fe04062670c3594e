"""Several training steps in one execution, and the loss of each."""
