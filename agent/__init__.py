"""Clausule: evidence that infrastructure keeps the promises of a processor agreement."""

__version__ = "0.1.0"
