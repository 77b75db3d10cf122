"""The answer of a script to a prompt: the first rule that applies, and the steps that it takes.

Pure and deterministic: equal tasks and seeds give equal answers.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from typing import Any

from rtnb.service.engines.tasks import Call, Preamble, Text, ToolSpec, Write
from rtnb.service.script.arguments import fill, properties_of
from rtnb.service.script.prompt import KNOWN, Prompt, read_prompt
from rtnb.service.script.rules import PLACEHOLDER, Fail, Found, Rule, Script, Step, Wait
from rtnb.service.script.tool_calls import call_tool, offered
from rtnb.service.script.tool_outputs import output_values, outputs_aloud
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
        if found is not None and (steps := _steps(script, rule, prompt, found, seed)):
            return (*_preamble(script, prompt), *steps)
    asked = "the output of " + prompt.function(prompt.outputs[-1]) if prompt.outputs else f'"{prompt.text[:80]}"'
    return (Fail("no_matching_rule", f"{script.name}: no rule matches {asked}."),)


def _preamble(script: Script, prompt: Prompt) -> tuple[Step, ...]:
    """Return what is said first where the model thinks about a prompt; nothing after a function's output."""
    sentences = script.preambles.get(prompt.language, ()) if prompt.task.effort and prompt.text else ()
    return (Preamble(sentences[len(prompt.earlier) % len(sentences)]),) if sentences else ()


def _applies(rule: Rule, prompt: Prompt) -> Found | None:
    """Return what a rule finds, or None where it does not apply."""
    if rule.language and rule.language != prompt.language:
        return None
    if rule.after_call:
        if not any(rule.answers(prompt.function(output)) for output in prompt.outputs):
            return None
    else:
        calls = rule.call or rule.do == "call"
        forced = prompt.task.tools and prompt.task.tool_choice not in ("auto", "none") and not prompt.outputs
        if forced and not calls and not rule.fail:
            return None
        if calls and (not offered(prompt) or (rule.call and forced and _called(rule, prompt) is None)):
            return None
    return rule.search(prompt.text_of(rule.role))


def _called(rule: Rule, prompt: Prompt) -> ToolSpec | None:
    return next((tool for tool in offered(prompt) if tool.name == rule.call), None)


def _steps(script: Script, rule: Rule, prompt: Prompt, found: Found, seed: int) -> tuple[Step, ...]:
    """Return what a rule does; nothing where a verb or a placeholder has nothing to give."""
    values, steps = dict(found.values), list[Step]()
    if rule.after_call:
        output = next(each for each in reversed(prompt.outputs) if rule.answers(prompt.function(each)))
        values = {**output_values(output.text), "output": outputs_aloud(prompt), **values}
    if rule.do:
        done = VERBS[rule.do][0](prompt, found)
        if done is None:
            return ()
        if isinstance(done, tuple):
            steps += done
        else:
            values.update(done)
    if rule.say:
        text = _filled(rule.say[_pick(script, rule, prompt, seed)], values, prompt)
        if text is None:
            return ()
        # What the user asked to hear again is the user's own, and is not shortened.
        said = text if rule.verbatim or rule.do == "repeat" else prompt.instructions.heeded(text)
        steps.insert(0, Text(said if len(said) <= LONGEST_REPLY else said[: LONGEST_REPLY - 1].rstrip() + "…"))
    if rule.call:
        steps.append(_call(rule, values, prompt))
    if rule.fail:
        steps.append(Fail(rule.fail.code, _filled(rule.fail.message, values, prompt) or rule.fail.message))
    return (*([Wait(rule.wait)] if rule.wait and steps else []), *steps)


def _pick(script: Script, rule: Rule, prompt: Prompt, seed: int) -> int:
    """Return which of its sentences a rule says: one after another each time that it answers, or one by the seed."""
    earlier, many = prompt.earlier, len(rule.say)
    if many == 1:
        return 0
    if rule.pick == "random":
        key = f"{seed} {rule.place} {len(earlier)} {prompt.text}"
        return zlib.crc32(key.encode("utf-8", "surrogatepass")) % many
    if rule.after_call:
        outputs = (said for said in prompt.history if said.role == "function_call_output")
        return (sum(rule.answers(prompt.function(output)) for output in outputs) - 1) % many
    if rule.role != "user":
        return len(earlier) % many
    rules = script.rules[: script.rules.index(rule)]
    before = [each for each in rules if each.role == "user" and each.patterns and not each.after_call]
    answered = (rule.search(said) and not any(each.search(said) for each in before) for said in earlier)
    return sum(map(bool, answered)) % many


def _filled(template: str, values: Mapping[str, str], prompt: Prompt) -> str | None:
    """Put values into a sentence; None where one is not known."""
    names = PLACEHOLDER.findall(template)
    known = {name: values.get(name) or (prompt.known(name) if name in KNOWN else "") for name in names}
    return PLACEHOLDER.sub(lambda match: known[match[1]], template) if all(known.values()) else None


def _call(rule: Rule, values: Mapping[str, str], prompt: Prompt) -> Call | Fail:
    """Return the call with the rule's own arguments, or with those that the prompt gives."""
    tool = _called(rule, prompt)
    if tool is None:
        names = ", ".join(tool.name for tool in offered(prompt)) or "none"
        return Fail("unknown_function", f'{rule.place}: the rule calls "{rule.call}"; the session offers {names}.')
    if isinstance(rule.arguments, str):  # as it stands, so that broken JSON can be tried
        return Call(tool.name, _filled(rule.arguments, values, prompt) or rule.arguments)
    if rule.arguments is None:
        return call_tool(tool, fill(tool.parameters, prompt.text, prompt.task.now, values))
    properties, _ = properties_of(tool.parameters)
    arguments = {name: _argument(given, properties.get(name), values, prompt) for name, given in rule.arguments.items()}
    return call_tool(tool, arguments)


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
