"""p21d keeps Epicor Prophet 21 and an integration hub in step, by itself."""

__version__ = "0.1.0"
