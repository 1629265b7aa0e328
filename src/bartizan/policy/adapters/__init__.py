"""Agent frameworks whose tools run only when the policy allows the call. Each is imported only where it is used."""
