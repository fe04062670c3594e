"""What an experiment tells the trackers that its numbers go to."""
