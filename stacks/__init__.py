"""What exists in the cloud, one stack a file."""
