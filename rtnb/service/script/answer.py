"""The answer of a script to a prompt: the first rule that applies, and the steps that it takes.

Pure and deterministic: equal tasks and seeds give equal answers.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from typing import Any

from rtnb.service.engines.tasks import Call, Preamble, Text, ToolSpec, Write
from rtnb.service.script.arguments import fill
from rtnb.service.script.prompt import KNOWN, Prompt, read_prompt
from rtnb.service.script.rules import PLACEHOLDER, Fail, Found, Rule, Script, Step, Wait
from rtnb.service.script.tool_calls import call_tool, offered
from rtnb.service.script.tool_outputs import output_values, tell_outputs
from rtnb.service.script.verbs import VERBS
from rtnb.service.script.words import plain, to_digits

__all__ = ["LONGEST_REPLY", "answer"]

#: Characters of the longest text of an answer.
LONGEST_REPLY = 1200


def answer(script: Script, task: Write, seed: int = 0) -> tuple[Step, ...]:
    """Answer a prompt.

    Parameters
    ----------
    script : Script
    task : Write
    seed : int
        For the rules that pick a sentence at random.

    Returns
    -------
    tuple of Preamble, Text, Call, Wait or Fail
        What the first rule that applies does; a `Fail` where none does.
    """
    prompt = read_prompt(task)
    for rule in script.rules:
        found = _applies(rule, prompt)
        steps = None if found is None else _steps(script, rule, prompt, found, seed)
        if steps:
            return (*_preamble(script, prompt), *steps)
    asked = "the output of " + prompt.function(prompt.outputs[-1]) if prompt.outputs else f'"{prompt.text[:80]}"'
    return (Fail("no_matching_rule", f"{script.name}: no rule matches {asked}."),)


def _preamble(script: Script, prompt: Prompt) -> tuple[Step, ...]:
    """Return what is said first where the model thinks about a prompt; nothing after a function's output."""
    sentences = script.preambles.get(prompt.language, ()) if prompt.task.effort and prompt.text else ()
    return (Preamble(sentences[len(prompt.said("user")) % len(sentences)]),) if sentences else ()


def _applies(rule: Rule, prompt: Prompt) -> Found | None:
    """Return what a rule finds, or None where it does not apply."""
    if rule.language and rule.language != prompt.language:
        return None
    if rule.after_call:
        if not any(rule.after_call in ("*", prompt.function(output)) for output in prompt.outputs):
            return None
    else:
        calls = rule.call or rule.do == "call"
        forced = prompt.task.tools and prompt.task.tool_choice not in ("auto", "none") and not prompt.outputs
        if forced and not calls and not rule.fail:
            return None
        if calls and (not offered(prompt) or (rule.call and isinstance(_called(rule, prompt), str) and forced)):
            return None
    return rule.search(prompt.heard(rule.role))


def _called(rule: Rule, prompt: Prompt) -> ToolSpec | str:
    """Return the function that a rule calls, or why it cannot be called."""
    tools = offered(prompt)
    names = ", ".join(tool.name for tool in tools) or "none"
    missing = f'{rule.place}: the rule calls "{rule.call}"; the session offers {names}.'
    return next((tool for tool in tools if tool.name == rule.call), missing)


def _steps(script: Script, rule: Rule, prompt: Prompt, found: Found, seed: int) -> tuple[Step, ...] | None:
    """Return what a rule does; None where a verb or a placeholder has nothing to give."""
    values, steps = dict(found.values), list[Step]()
    if rule.after_call:
        output = next(each for each in reversed(prompt.outputs) if rule.after_call in ("*", prompt.function(each)))
        values = {**output_values(output.text), "output": tell_outputs(prompt), **values}
    if rule.do:
        done = VERBS[rule.do][0](prompt, found)
        if done is None:
            return None
        if isinstance(done, tuple):
            steps += done
        else:
            values.update(done)
    if rule.say:
        sentence = rule.say[_pick(script, rule, prompt, seed) if len(rule.say) > 1 else 0]
        text = _filled(sentence, values, prompt)
        if text is None:
            return None
        # What the user asked to hear again is the user's own, and is neither shortened nor framed.
        said = text if rule.verbatim or rule.do == "repeat" else prompt.instructions.heeded(text)
        steps.insert(0, Text(said if len(said) <= LONGEST_REPLY else said[: LONGEST_REPLY - 1].rstrip() + "…"))
    if rule.call:
        tool = _called(rule, prompt)
        steps.append(Fail("unknown_function", tool) if isinstance(tool, str) else _call(rule, tool, values, prompt))
    if rule.fail:
        message = _filled(rule.fail.message, values, prompt)
        steps.append(Fail(rule.fail.code, rule.fail.message if message is None else message))
    return tuple([Wait(rule.wait), *steps] if rule.wait and steps else steps) or None


def _pick(script: Script, rule: Rule, prompt: Prompt, seed: int) -> int:
    """Return which of its sentences a rule says: one after another each time that it answers, or one by the seed."""
    earlier = prompt.said("user")
    if rule.pick == "random":
        key = f"{seed} {rule.place} {len(earlier)} {prompt.text}"
        return zlib.crc32(key.encode("utf-8", "surrogatepass")) % len(rule.say)
    if rule.after_call:
        names = [prompt.function(said) for said in prompt.history if said.role == "function_call_output"]
        return (sum(rule.after_call in ("*", name) for name in names) - 1) % len(rule.say)
    before = [each for each in script.rules[: script.rules.index(rule)] if each.role == "user" and not each.after_call]
    answered = (
        rule.role != "user" or (rule.search(said) and not any(each.patterns and each.search(said) for each in before))
        for said in earlier
    )
    return sum(map(bool, answered)) % len(rule.say)


def _filled(template: str, values: Mapping[str, str], prompt: Prompt) -> str | None:
    """Put values into a sentence; None where one is not known."""
    missing = False

    def value(match: re.Match[str]) -> str:
        nonlocal missing
        text = values.get(match[1]) or (prompt.known(match[1]) if match[1] in KNOWN else "")
        missing = missing or not text
        return text

    filled = PLACEHOLDER.sub(value, template)
    return None if missing else filled


def _call(rule: Rule, tool: ToolSpec, values: Mapping[str, str], prompt: Prompt) -> Call:
    """Return the call with the rule's own arguments, or with those that the prompt gives."""
    if isinstance(rule.arguments, str):  # as it stands, so that broken JSON can be tried
        return Call(tool.name, _filled(rule.arguments, values, prompt) or rule.arguments)
    if rule.arguments is None:
        return call_tool(tool, fill(tool.parameters, prompt.text, prompt.task.now, values))
    properties = tool.parameters.get("properties")
    kinds = properties if isinstance(properties, Mapping) else {}
    return call_tool(
        tool, {name: _argument(given, kinds.get(name), values, prompt) for name, given in rule.arguments.items()}
    )


def _argument(given: Any, schema: Any, values: Mapping[str, str], prompt: Prompt) -> Any:
    """Return an argument with the placeholders filled in, as a number where the function wants one."""
    if isinstance(given, Mapping):
        return {name: _argument(each, None, values, prompt) for name, each in given.items()}
    if isinstance(given, list):
        return [_argument(each, None, values, prompt) for each in given]
    if not isinstance(given, str):
        return given
    text = plain(_filled(given, values, prompt) or "")
    kind = schema.get("type") if isinstance(schema, Mapping) else None
    if kind in ("integer", "number") and re.fullmatch(r"-?\d{1,15}(?:\.\d{1,6})?", digits := to_digits(text)):
        return float(digits) if "." in digits else int(digits)
    return text
