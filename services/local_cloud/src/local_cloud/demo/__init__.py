"""One donation from the front door to a receipt that proves itself, taken as an outsider would."""
