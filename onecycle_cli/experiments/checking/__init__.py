"""What a configuration means for its data and its model, before anything is trained."""
