"""Prints what the resource types' own schemas say cannot be changed in place.

Reads resource types from the arguments; prints a JSON object: type → [always, sometimes].
"""

import json
import sys

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER


def names(pointers):
    """The topmost properties of `/properties/Name` pointers."""
    return sorted({pointer.split("/")[2] for pointer in pointers})


def create_only(resource_type):
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource_type).schema
    return [
        names(schema.get("createOnlyProperties", [])),
        names(schema.get("conditionalCreateOnlyProperties", [])),
    ]


print(json.dumps({name: create_only(name) for name in sys.argv[1:]}))
