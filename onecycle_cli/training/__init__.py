"""1cycle passes carried out so that nothing can be lost."""
