"""A neighborhood: a growing set of signed records, in an order that its hub signs.

Records (`envelope`, `bodies`) go in, a state (`state`, `apply`) comes out, and `rules` decide, the same way
for the
author, for the hub at its door and for every reader. How it looks on the wire is in docs/protocol.md. Nothing
here
knows Home Assistant or a network; what others wrote is checked here and nowhere else.
"""
