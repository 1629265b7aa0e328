"""Checks of rows before training may read them. Each gives every row a score and every flagged row a reason."""
