"""Artefacts: scan, lock, sign, verify, bill of materials. Never imports, unpickles or runs what it reads."""
