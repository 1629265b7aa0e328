"""A small world of tools for the proofs about agents, and an agent that is wholly the attacker's."""
