"""Tasks given to the workers of a cluster: which of them has what to do, and Ray, which runs them.

Nothing here knows what a task is about.
"""
