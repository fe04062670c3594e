"""What a training leaves behind: its result, and the files that it keeps while it runs."""
