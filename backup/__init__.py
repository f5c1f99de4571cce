"""Backup and restore: what cannot be rebuilt, out of a running stack and into a new one."""
