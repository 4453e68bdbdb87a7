"""`fillproof doctor`: what of a deployment works, and what to do about what does not.

`diagnosis` looks at each part on its own, so that one that is away keeps no other from being looked at: the
machine, the ledger's servers, the bus and the database.
"""
