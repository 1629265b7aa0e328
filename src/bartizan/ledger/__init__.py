"""Evidence: an append-only Merkle log in SQLite, signed checkpoints, proofs, verification, export."""
