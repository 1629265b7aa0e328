"""Data set admission: manifest, checks, quarantine, review, release."""
