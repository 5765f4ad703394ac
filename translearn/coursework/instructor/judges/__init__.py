"""What decides the marks of each assignment, and the bank of submissions that tests it.

Never readable by a submission.
"""
