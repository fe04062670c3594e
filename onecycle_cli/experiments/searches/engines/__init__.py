"""Who carries trials out: this process, or the workers of a cluster."""
