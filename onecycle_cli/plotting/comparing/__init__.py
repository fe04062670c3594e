"""The two halves of the picture of a comparison: losses on the left, scores on the right."""
