"""The marketplace's functions: who may read which released dataset, links to its files, and what was used of it.

Entry points are in `handlers`. Decisions are in `grants`, `pages` and `metering`, which import nothing from outside; what
is asked of AWS is in `control_plane` and `links`. Only botocore is needed, which Lambda brings along.
"""
