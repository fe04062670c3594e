"""What of a model changes while it trains: kept, brought back, and made anew."""
