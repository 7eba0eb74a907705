"""`script/hub`: the hub's own program, loaded without the integration's `__init__`."""

import sys

from script.lib.core import load_core

load_core()

from ringwatch.hub.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
