"""Tool calls that wait for a person, what the person answered, and what was endorsed beforehand."""
