"""`python3 course.py bench grading`: three graders on the same notebooks.

Ours, nbgrader's autograder and otter-grader get the same files and the same judges, on the same
hidden inputs. What differs is where a judge runs: ours outside, the others' as their users write
hidden tests, in the submission's own process.

hidden      the judges as hidden tests
cases       which submissions, and the marks that they deserve
graders     how a grader is set up, started, and read
fence       the walls around a grader that has none of its own; `inside` looks at what is left
scoring     marks against what was deserved, and the tables
command     the command
"""
