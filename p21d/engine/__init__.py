"""How rows flow from Prophet 21 to the sink, and how each ends with a fate."""
