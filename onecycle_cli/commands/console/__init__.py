"""What the commands share: options, tables, progress, and how they end."""
