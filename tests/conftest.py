"""What every test has.

The test plugin puts its own `testing_config` on the path, whose `custom_components` is a regular package and
would hide ours (a namespace package): whoever is imported first stays, so ours is imported here.
"""

import custom_components.ringwatch  # noqa: F401
