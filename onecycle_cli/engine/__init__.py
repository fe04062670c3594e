"""All that reaches into Keras; the only room that knows its private names."""
