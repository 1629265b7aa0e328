"""Where limits live: one protocol, kept in memory, in SQLite, in Redis or in PostgreSQL. Chosen by one setting."""
