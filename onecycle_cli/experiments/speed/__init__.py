"""How fast a model is trained on this machine, found out by real steps."""
