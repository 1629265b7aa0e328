"""What must not leave: controls on the model's answer. `stream` runs them all over text as it grows."""
