"""Orders from the hub into P21, each exactly once: inbox, ledger, writer."""
