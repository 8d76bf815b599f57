"""Read-only checks of the repository's settings and deployments on GitHub."""
