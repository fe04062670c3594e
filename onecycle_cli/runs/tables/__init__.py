"""Tables that grow while a run is at work."""
