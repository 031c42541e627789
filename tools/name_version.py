"""Add the version of the program to a list of its parts (SBOM): `make sbom`.

cyclonedx-py takes it from pyproject.toml, which leaves it to the source.
"""

import json
import sys
from pathlib import Path

from tools.release_check import SOURCE, version_of


def with_version(bom: str, version: str) -> str:
    """The same list in CycloneDX's JSON, for this version of the program."""
    parts = json.loads(bom)
    parts["metadata"]["component"]["version"] = version
    return json.dumps(parts, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    file = Path(sys.argv[1])
    of_source = version_of((SOURCE / "aws_iot" / "__init__.py").read_text(encoding="utf-8"))
    file.write_text(with_version(file.read_text(encoding="utf-8"), of_source), encoding="utf-8")
