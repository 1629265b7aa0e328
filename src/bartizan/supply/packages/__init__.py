"""Packages: what requirement and lock files ask for, what wheels, sdists and npm tarballs would do when installed."""
