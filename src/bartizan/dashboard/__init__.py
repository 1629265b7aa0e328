"""The web pages: they show the ledger and the live state, and take a reviewer's decisions."""
