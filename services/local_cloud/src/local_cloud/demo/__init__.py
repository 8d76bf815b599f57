"""The demo: one donation from the API to a receipt that verifies offline, as an outsider would make it."""
