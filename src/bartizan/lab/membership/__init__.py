"""T07: was this record in the training set? Shadow models, attacks on their scores, and a judge that counts."""
