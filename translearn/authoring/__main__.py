import sys

from translearn.authoring import main

sys.exit(main())
