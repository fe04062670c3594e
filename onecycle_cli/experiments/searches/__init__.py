"""The two ways to search a learning rate."""
