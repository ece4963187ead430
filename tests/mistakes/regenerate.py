"""Write the message of every wrong spec anew, and name those that have changed: read each before you commit it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.mistakes.gallery import SPECS, message_of


def main() -> None:
    for spec in SPECS:
        message, page = message_of(spec), spec.with_suffix(".txt")
        if message is None:
            print(f"{spec.name} loads: it is no mistake")
        elif not page.exists() or page.read_text(encoding="utf-8") != message:
            page.write_text(message, encoding="utf-8")
            print(f"{page.name}\n{message}")


if __name__ == "__main__":
    main()
