"""T05: how good a copy of a model can be had for how many questions, and a judge that compares copy and original."""
