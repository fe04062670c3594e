"""A saved model on data of one's choice."""
