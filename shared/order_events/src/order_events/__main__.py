"""Write the JSON Schemas of all that engines read: `python -m order_events shared/order_events/schemas`."""

import json
import sys
from pathlib import Path

from order_events.schemas import schemas, value_schemas


def main(arguments: list[str]) -> int:
    """Write one `<event_type>.json` each into the folder named; returns the exit status."""
    if len(arguments) != 1 or not (folder := Path(arguments[0])).is_dir():
        sys.stderr.write(f"expected one argument, an existing folder, found {arguments}\n")
        return 2
    for name, schema in (schemas() | value_schemas()).items():
        (folder / f"{name}.json").write_text(json.dumps(schema, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
