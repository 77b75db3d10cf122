"""What every test needs: an environment without anybody's account, and the helpers beside this file."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # scripted.py, hostile.py, virtual_time.py, fake_engines.py


@pytest.fixture(autouse=True)
def no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the settings of whoever runs the tests out of the environment."""
    for name in list(os.environ):
        if name.startswith(("AZURE_", "OPENAI_", "IDENTITY_")):
            monkeypatch.delenv(name)
