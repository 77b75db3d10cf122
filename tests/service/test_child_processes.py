"""The environment that the service's child processes are started with."""

from __future__ import annotations

import os
from pathlib import Path

import rtnb
from rtnb.service.child_processes import child_environment


def test_a_child_finds_rtnb_where_this_process_found_it(monkeypatch):
    """The folder that holds the package is on the child's path, before what is there already."""
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    home = str(Path(rtnb.__file__).resolve().parent.parent)
    assert child_environment()["PYTHONPATH"].split(os.pathsep) == [home, "elsewhere"]


def test_no_credential_goes_to_a_child_but_those_that_are_named(monkeypatch):
    """Variables that end like a credential's name are left out."""
    names = ("OPENAI_API_KEY", "azure_client_secret", "GITHUB_TOKEN", "DB_PASSWORD", "RTNB_CHAT_API_KEY")
    for name in names:
        monkeypatch.setenv(name, "planted-4711")
    kept = child_environment("RTNB_CHAT_API_KEY")
    assert [name for name in names if name in kept] == ["RTNB_CHAT_API_KEY"]
