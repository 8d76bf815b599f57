"""The ports as AWS has them: one module a thing, named for what it is there."""
