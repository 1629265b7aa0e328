"""Parses, calls one function, prints. The only place that prints or exits."""
