"""Tool contracts: JSON Schema 2020-12, made strict when the policy is loaded and held against arguments at intake."""

import re
from typing import Final

FOLDER: Final = "contracts"
"""Where contract files lie in a policy folder."""
FILE_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\.json", re.ASCII)
