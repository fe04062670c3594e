"""What the commands share: options, progress, tables, and how they end."""
