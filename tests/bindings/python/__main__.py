"""Runs the tests of this folder, or those whose names hold one of the given patterns."""

import os
import sys
import unittest


def main() -> int:
    folder = os.path.dirname(os.path.abspath(__file__))
    sys.path.insert(0, folder)
    loader = unittest.TestLoader()
    loader.testNamePatterns = [f"*{pattern}*" for pattern in sys.argv[1:]] or None
    tests = loader.discover(folder)
    from town import Town

    try:
        result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(tests)
    finally:
        Town.close()
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
