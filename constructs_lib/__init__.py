"""Parts with safe defaults: what is unsafe has to be asked for, with a reason (see waiver)."""
