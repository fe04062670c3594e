"""The whole way to a trained model: the searches, then the training."""
