"""What every picture shares: its colours, how it writes numbers, its axes and its marks."""
