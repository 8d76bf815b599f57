"""Data that others may use: handed in, released where nobody stands out, sold, and taken back."""
