"""From what is handed in to what is released: the taking of arrivals. An anonymiser is not connected yet."""
