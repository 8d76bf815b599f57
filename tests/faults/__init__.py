"""A package, so that its platform fixture ends with it and not with the whole session."""
