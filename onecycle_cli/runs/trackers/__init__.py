"""Where the numbers of a run go besides its own folder: TensorBoard, MLflow, Weights & Biases."""
