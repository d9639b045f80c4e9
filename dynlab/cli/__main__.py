"""`python -m dynlab.cli`."""

import sys

from dynlab.cli.parser import main

sys.exit(main())
