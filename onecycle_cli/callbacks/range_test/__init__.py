"""What a range test needs besides its sweep: when to stop, and how to leave the model."""
