import sys

from translearn.lab import main

sys.exit(main())
