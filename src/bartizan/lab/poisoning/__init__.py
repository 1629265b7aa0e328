"""Poisoning attacks on data sets and what can be done about a model that was trained on one: arrays in, arrays out."""
