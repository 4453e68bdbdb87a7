"""Books that an engine would have kept over recorded sessions, in every format, with faults put in by a seed."""
