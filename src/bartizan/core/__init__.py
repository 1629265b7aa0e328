"""The words everything else speaks: messages, findings, verdicts, measurements, settings, errors, clock."""
