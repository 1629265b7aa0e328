"""Loaders of targets, one per kind of model. Nothing here unpickles: weights are data, code is what the user names."""
