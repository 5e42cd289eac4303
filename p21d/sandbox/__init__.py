"""A Prophet 21 and a hub to try p21d against: real HTTP servers over SQLite, with scripted faults."""
