from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from rtnb.service.engines.capabilities import capabilities


def test_every_part_but_the_transcriber_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any extra everything has an engine but transcription, and what is missing says how to get it."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    rows = capabilities()
    used = {row.part for row in rows if row.state == "used"}
    assert used == {row.part for row in rows} - {"transcriber"}
    missing = [row for row in rows if row.state == "not installed"]
    assert missing
    assert all("pip install" in row.how_to_get and not row.version for row in missing)


def test_one_engine_of_a_kind_is_used() -> None:
    """Of several voices, detectors and resamplers that are here, one is used; what is here has a version."""
    rows = capabilities()
    for part in ("voice", "speech detector", "resampling"):
        assert [row.state for row in rows if row.part == part].count("used") == 1
    assert all(row.version for row in rows if row.state != "not installed")


def test_nothing_is_imported_to_find_out() -> None:
    """Asking costs nothing: none of the libraries is loaded, numpy neither."""
    code = (
        "import sys; from rtnb.service.engines.capabilities import capabilities; repr(capabilities());"
        "print([name for name in ('pocketsphinx', 'espeakng_loader', 'soxr', 'webrtcvad', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
