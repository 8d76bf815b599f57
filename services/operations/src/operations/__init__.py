"""Programs for those who review, pay for and run an environment. They read cloud assemblies, and AWS where they say so.

Nothing here is imported by what is deployed, and nothing here imports it or the stacks: an assembly on disk is enough.
"""
