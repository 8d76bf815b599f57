"""Manages donation terminals and their certificates.

A terminal makes its private key itself and keeps it; what is brought here is a request (CSR), and what goes back a certificate.
"""
