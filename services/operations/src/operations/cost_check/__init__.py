"""Compares an environment's actual and forecast cost of the month with its budget.

Exit status 0: within. 2: above a threshold. 3: could not check, which is never taken for good news.
"""
