"""What donation terminals say, from the rule of IoT Core into the raw lake: each message once, whoever repeats it."""
