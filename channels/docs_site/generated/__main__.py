"""`python -m channels.docs_site.generated [--check]`."""

import argparse
import sys

from channels.docs_site.generated.pages import COMMAND, DOCS, outdated, write


def main() -> int:
    """Write the generated blocks anew, or check them. Returns the exit code."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=sys.modules[__package__].__doc__)
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit with 1 when a page is outdated"
    )
    if parser.parse_args().check:
        pages = outdated(DOCS)
        for page in pages:
            print(f"{page} is outdated; run: {COMMAND}")
        return int(bool(pages))
    for page in write(DOCS):
        print(f"{page} is written anew")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
