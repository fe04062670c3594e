"""An experiment that several processes carry out together: they do the same, and one writes."""
