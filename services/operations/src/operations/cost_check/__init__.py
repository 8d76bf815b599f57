"""Compares what AWS says the month has cost, and will cost, with the environment's budget.

Exit status 0: within. 2: above a threshold. 3: could not check, which is never taken for good news.
"""
