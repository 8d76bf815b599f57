"""What a change does to whoever calls the API: two documents (OpenAPI 3.1) compared, from the callers' side."""
