"""Where records go: the sink port and the sinks p21d brings."""
