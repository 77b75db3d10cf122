"""Reading a script's file: every mistake is reported with its line."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtnb.errors import ConfigurationError
from rtnb.service.script import Script, load_script, loader
from rtnb.service.script import __file__ as package
from rtnb.service.script.prompt import KNOWN
from rtnb.service.script.verbs import VERBS

from .test_rules import said


def read(folder: Path, text: str) -> Script:
    path = folder / "lesson.toml"
    path.write_text(text, "utf-8")
    return load_script(path)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("[[rule]]\nsay = 'x", 2, "Expected"),
        ("[[rule]]\nmatch = 'a'\n", 1, "answers nothing"),
        ("\n[[rule]]\nmach = 'a'\nsay = 'b'", 3, 'did you mean "match"?'),
        ("[[rule]]\nsay = 'b'\nvolume = 3", 3, '"volume" is unknown in a rule'),
        ("extend = 'none'", 1, 'did you mean "extends"?'),
        ("# a lesson\nextends = 'nothing'", 2, 'write "default" or "none"'),
        ("[rule]\nsay = 'x'", 1, "double brackets"),
        ("rule = 3", 1, "double brackets"),
        ("[[rule]]\nsay = 'b'\n[[rule]]\nsay = 3", 4, "a text or a list of texts"),
        ("[[rule]]\nsay = ['b', 3]", 2, "a text or a list of texts"),
        ("[[rule]]\nsay = ''", 2, "a text or a list of texts"),
        ("[[rule]]\nmatch = []\nsay = 'b'", 2, "a text or a list of texts"),
        ("[[rule]]\nmatch = 'a (b'\nsay = 'b'", 2, "a bracket that is not closed"),
        ("[[rule]]\nmatch = 'a {b c}'\nsay = 'b'", 2, "a bracket that is not closed"),
        ("[[rule]]\nmatch = '(b)'\nsay = 'b'", 2, "no word that must be there"),
        ("[[rule]]\nmatch = '{a} or {a}'\nsay = 'b'", 2, "cannot be read"),
        ("[[rule]]\n\nregex = '('\nsay = 'b'", 3, "cannot be read"),
        ("[[rule]]\nmatch = 'a'\nregex = 'b'\nsay = 'b'", 3, "not both"),
        ("[[rule]]\nmatch = 'in {city}'\nsay = 'Not {town}.'", 3, "{town} is in no match"),
        ("[[rule]]\nmatch = 'in {city}'\nsay = 'Not {citty}.'", 3, 'did you mean "{city}"?'),
        ("[[rule]]\nmatch = ['in {city}', 'at']\nsay = 'Not {city}.'", 3, "not in every match"),
        ("[[rule]]\ncall = 'f'\narguments = { x = '{y}' }", 3, "{y} is in no match"),
        ("[[rule]]\ndo = 'spel'", 2, 'did you mean "spell"?'),
        ("[[rule]]\nsay = 'b'\nrole = 'teacher'", 3, "there are user, system, assistant"),
        ("[[rule]]\nsay = 'b'\nlanguage = 'xx'", 3, "there are en, de, fr, es, it"),
        ("[[rule]]\nsay = ['a', 'b']\npick = 'randomly'", 3, 'did you mean "random"?'),
        ("[[rule]]\nsay = 'b'\nwait = -1", 3, "seconds"),
        ("[[rule]]\nsay = 'b'\nwait = 'long'", 3, "seconds"),
        ("[[rule]]\nsay = 'b'\nwait = nan", 3, "seconds"),
        ("[[rule]]\nfail = { code = 'x' }", 2, "message"),
        ("[[rule]]\nfail = { message = 3 }", 2, "message"),
        ("[[rule]]\nsay = 'b'\nwhole = 1", 3, "true or false"),
        ("[[rule]]\nsay = 'b'\narguments = {}", 3, "belong to a call"),
        ("[[rule]]\ncall = 'b'\narguments = 3", 3, "a table or a text"),
        ('[[rule]]\nsay = """\n[[rule]]\nmach = 1\n"""\n[[rule]]\nmach = 1', 7, 'did you mean "match"?'),
    ],
)
def test_a_mistake_is_reported_with_its_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    """The message names the file, the line, what is wrong and, where one is near, the word that was meant."""
    with pytest.raises(ConfigurationError, match=re.escape(message)) as refused:
        read(tmp_path, text)
    assert str(refused.value).startswith(f"lesson.toml, line {line}: ")
    assert "\n" not in str(refused.value)


def test_a_file_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    """A missing file, a folder and a file that is no text are each refused."""
    (tmp_path / "sound.toml").write_bytes(b"\xff\xfe\x00")
    for name, reason in (("missing.toml", "No such file"), ("", "directory"), ("sound.toml", "UTF-8")):
        with pytest.raises(ConfigurationError, match=reason):
            load_script(tmp_path / name)


def test_an_empty_file_is_the_default_script(tmp_path: Path) -> None:
    """A file without rules adds nothing; a byte order mark is no mistake."""
    assert read(tmp_path, "\ufeff").rules == load_script().rules


def test_rules_in_another_form_are_read(tmp_path: Path) -> None:
    """TOML's other spellings of the same tables are the same rules."""
    script = read(tmp_path, "rule = [{ match = 'a', say = 'x' },\n{ say = 'b' }]")
    assert said(script, "a") == "x"
    script = read(tmp_path, "[[ rule ]]\n'match' = 'a'\n[rule.fail]\nmessage = 'x'\n[[rule]]\nsay = 'b'")
    assert said(script, "b") == "b"


def test_every_verb_and_placeholder_is_described() -> None:
    """The description of the format names each verb with its placeholders, and each placeholder that is always known."""
    described = loader.__doc__ or ""
    for verb, (_, placeholders) in VERBS.items():
        assert f"``{verb}``" in described
        assert all(f"``{{{name}}}``" in described for name in (*placeholders, *KNOWN))


def test_the_default_script_is_read_once() -> None:
    """The script that comes with rtnb is one value."""
    assert load_script() is load_script(None)


def test_the_lesson_in_the_comments_is_a_script(tmp_path: Path) -> None:
    """The example that the default script shows can be used as it stands."""
    lines = (Path(package).parent / "default.toml").read_text("utf-8").splitlines()
    start = lines.index("#     # lesson.toml")
    end = next(number for number, line in enumerate(lines) if number > start and line.startswith("# With"))
    lesson = read(tmp_path, "\n".join(line[6:] for line in lines[start:end]))
    assert said(lesson, "What is the capital of France?") == "Which city do you think it is?"
    assert said(lesson, "It is Paris") == "Right! What is your name?"


@given(st.text(max_size=200) | st.text("[]rule=\n'\"say{}match# ", max_size=80))
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Nothing but the one error comes out of a file."""
    with contextlib.suppress(ConfigurationError):
        assert read(tmp_path_factory.getbasetemp(), text.encode("utf-8", "replace").decode()).rules
