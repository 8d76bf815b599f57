"""AWS implementations of the ports, one module each."""
