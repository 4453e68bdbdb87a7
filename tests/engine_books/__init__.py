"""Books as engines would have kept them over recorded sessions, with faults put in by a seed."""
