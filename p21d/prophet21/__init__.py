"""The only room that knows Prophet 21."""
