"""What every capability stands on: time, money, errors, the unit of work, the edge of HTTP and of jobs.

The kernel knows no business noun and imports no capability.
"""
