"""Run the audit writer: `python -m audit_writer`."""

import sys

from audit_writer.main import main

sys.exit(main())
