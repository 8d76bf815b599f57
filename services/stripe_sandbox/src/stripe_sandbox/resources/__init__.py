"""Stripe's resources, one file each: parameters, rules, and the shape of the object."""
