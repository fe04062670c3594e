"""A learning rate from probes: short, complete 1cycle trainings, each at a rate of its own.

A range test raises the learning rate within one training, so its loss at a rate depends on all the
rates before it, and it never anneals. A probe asks the question that the training will ask, at a
shorter length. First a coarse ladder of very short probes finds where the loss gets lowest; then
longer ones around that place, and the minimum of a smoothed curve through them, say where exactly.
"""
