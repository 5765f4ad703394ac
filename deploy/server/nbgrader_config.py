"""Where nbgrader's exchange is: the same for students and instructors. set-up.sh fills in the
place.
"""

SERVER = "/srv/translearn"

c = get_config()  # noqa: F821
c.Exchange.root = f"{SERVER}/exchange"
