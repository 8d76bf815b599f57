"""The marketplace's Lambda functions: access to released datasets, download links, and usage.

Entry points are in `handlers`. Decisions are in `grants`, `pages` and `metering`, which import nothing from outside; what
is asked of AWS is in `control_plane` and `links`. Only botocore is needed, which Lambda brings along.
"""
