"""Exercises of lesson 14, Cheaper and wider."""
