"""Converts the input schemas of tools, a JSON list of {name, inputSchema} on the input, to grammars as local models use them.

Writes a JSON object: for each tool a list of errors. llguidance is the converter of llama.cpp, vLLM and SGLang, outlines_core
that of Outlines, which knows the fewest keywords.
"""

import json
import re
import sys

from llguidance import LLMatcher
from outlines_core.json_schema import build_regex_from_schema


def errors(tool):
    schema, found = json.dumps(tool["inputSchema"]), []
    if error := LLMatcher.validate_grammar(LLMatcher.grammar_from_json_schema(schema)):
        found.append(f"llguidance: {error}")
    try:
        pattern = build_regex_from_schema(schema)
    except ValueError as error:
        return [*found, f"outlines: {error}"]
    for arguments in tool["examples"]:
        if not re.fullmatch(pattern, json.dumps(arguments)):
            found.append(f"outlines: {arguments} cannot be generated")
    return found


json.dump({tool["name"]: errors(tool) for tool in json.load(sys.stdin)}, sys.stdout)
