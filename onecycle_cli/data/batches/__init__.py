"""Training batches as a function of (seed, epoch, step), augmented and resized on the way."""
