"""The demo of the data platform: data is ingested, anonymised, sold and withdrawn."""
