"""`fillproof explain`: what happened to one order, asked of a server and decided by the kernel.

`history` reads back to the order's placement, `life` folds that through the kernel, `answer`
is the result (and the JSON), `inquiry` leads from the question to it, `words` and `page` show it. Nothing
here decides what became of an order.
"""
