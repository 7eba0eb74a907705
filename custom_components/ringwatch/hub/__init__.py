"""The hub of a neighborhood: a server of its own, written as if it were attacked from its first day.

It takes signed records, gives each a place in an order that it signs, keeps clips and pictures, and gives all
of that to whoever belongs to the neighborhood. It decides nothing that readers can't check: the rules are
those of `neighborhood/`.

    connections ──▶ server ──▶ calls (who is it?) ──▶ handlers ──▶ hood ──▶ writer (one thread) ──▶ hub.db,
    blobs/
                                                                     └────▶ readers (a few threads)

The loop never waits for the disk, and nothing here opens an address that somebody else named.
"""
