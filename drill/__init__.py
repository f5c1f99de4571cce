"""Breaks a stack of its own on purpose, under load, and counts what became of every line."""
