"""Makes `definitions.json`, the binary format's table of names, from the one that xrpl-py publishes.

Run it in the project's environment after an update of xrpl-py:
`.venv/bin/python shared/ledger_proof/make_definitions.py`.
"""

from pathlib import Path
from typing import Any

import msgspec
from xrpl.core.binarycodec.definitions import definitions

PUBLISHED = Path(definitions.__file__).with_name("definitions.json")
TABLE = Path(__file__).parent / "src" / "ledger_proof" / "binary" / "definitions.json"


def table(published: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Return the names by number, and those of fields by `<type>.<field>`."""
    types = published["TYPES"]
    fields = {
        f"{types[field['type']]}.{field['nth']}": name
        for name, field in published["FIELDS"]
        if field["isSerialized"] and types[field["type"]] > 0
    }
    names = {
        part.lower(): {str(number): name for name, number in published[part].items() if number >= 0}
        for part in ("LEDGER_ENTRY_TYPES", "TRANSACTION_TYPES", "TRANSACTION_RESULTS")
    }
    return {"fields": fields, **names}


if __name__ == "__main__":
    made = table(msgspec.json.decode(PUBLISHED.read_bytes()))
    TABLE.write_bytes(msgspec.json.format(msgspec.json.encode(made, order="sorted"), indent=1) + b"\n")
