"""A package, so that its platform can end with it and not with the whole run."""
