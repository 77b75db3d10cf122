"""The scripted writer: answers by rules that stand in a TOML file, described in :mod:`rtnb.service.script.loader`."""

from rtnb.service.script.answer import LONGEST_REPLY, answer
from rtnb.service.script.loader import load_script
from rtnb.service.script.rules import Fail, Script, Step, Wait

__all__ = ["LONGEST_REPLY", "Fail", "Script", "Step", "Wait", "answer", "load_script"]
