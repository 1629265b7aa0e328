"""The register: ten threats, each with its attacks, controls, claims with bounds, and what is left."""
