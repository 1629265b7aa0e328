"""The network edge: wires, exchange (the order of steps), streams, authentication, limits. Holds no attack code."""
