"""Is this model, or this text, ours? Tests that end in a p-value, and what is known to break them."""
