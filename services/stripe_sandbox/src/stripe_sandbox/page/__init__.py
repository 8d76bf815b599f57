"""Pages for a donor's browser: the double of Stripe.js, and the bank's page of a 3-D Secure test."""
