"""How a lane's process starts: `python -m cbresearch.publish.lane`, by `lanes`."""

from __future__ import annotations

import sys


def main() -> None:
    """Serve tasks as `worker` does, without a library that takes longer to import than all the rest.

    jsonschema, which checks notebooks, builds the grammar of internationalised addresses when it is imported,
    if rfc3987_syntax is there. No notebook has a field of that kind.
    """
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
    from cbresearch.publish.worker import main as serve

    serve()


if __name__ == "__main__":
    main()
