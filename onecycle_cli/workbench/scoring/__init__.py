"""What a model is to learn, and how well it does: losses, scores and what guessing costs."""
