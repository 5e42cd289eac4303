"""The Unix-socket API: server, client and the types of their answers."""
