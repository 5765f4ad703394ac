"""The book: see __main__."""
