"""What GitHub knows and the repository does not: its own settings, and which deployment has begun. Reads and nothing else."""
