"""Events on their way to the platform's webhook endpoint."""
