"""What p21d remembers, in one SQLite file."""
