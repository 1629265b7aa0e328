"""Where the rows of a log are kept: one file on this machine, or a database that several machines share."""
