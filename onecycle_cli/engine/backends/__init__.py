"""The backends that Keras can run on: which one is used, and what it does without the others."""
