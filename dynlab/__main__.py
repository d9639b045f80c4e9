"""`python -m dynlab`."""

import sys

from dynlab.cli.parser import main

sys.exit(main())
