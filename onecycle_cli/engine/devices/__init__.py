"""Several devices of this machine that train one model: each takes its share of every batch."""
