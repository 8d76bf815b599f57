"""Donation terminals: which there are, and what lets each of them speak.

A terminal makes its private key itself and keeps it; what is brought here is a request (CSR), and what goes back a certificate.
"""
