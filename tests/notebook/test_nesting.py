import asyncio
import subprocess
import sys
import textwrap

import pytest

from rtnb.notebook.nesting import refusal

PLAIN = asyncio.SelectorEventLoop


class ForeignLoop(asyncio.AbstractEventLoop):
    """A loop that is not made of asyncio's base, as uvloop's is not."""


def run(code: str) -> str:
    """Run `code` in a process of its own, since nesting changes asyncio for good, and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_pasted_code_runs_where_a_loop_runs_already() -> None:
    """After the call `asyncio.run(main())` works inside a running loop, as it must in a cell; nothing is printed."""
    printed = run(
        """
        import asyncio, rtnb

        async def answer():
            await asyncio.sleep(0)
            return 42

        async def cell():
            rtnb.allow_nested_asyncio()
            rtnb.allow_nested_asyncio()
            assert asyncio.run(answer()) == 42
            assert asyncio.get_running_loop().run_until_complete(answer()) == 42
            return await answer()

        assert asyncio.Runner().run(cell()) == 42
        """
    )
    assert printed == ""


def test_without_the_call_pasted_code_fails() -> None:
    """The call is what makes it work: `import rtnb` alone changes nothing in asyncio."""
    run(
        """
        import asyncio, rtnb

        async def nothing():
            pass

        async def cell():
            pasted = nothing()
            try:
                asyncio.run(pasted)
            except RuntimeError:
                pasted.close()
                return True

        assert asyncio.Runner().run(cell())
        assert not hasattr(asyncio, "_nest_patched")
        """
    )


def test_it_may_be_called_before_any_loop_exists() -> None:
    """Called in a plain script, it serves the loops that come later."""
    assert run(
        """
        import asyncio, rtnb
        rtnb.allow_nested_asyncio()

        async def inner():
            return "inner"

        async def outer():
            return asyncio.run(inner())

        print(asyncio.run(outer()))
        """
    ).startswith("inner")


def test_a_refusal_leaves_asyncio_alone() -> None:
    """A loop that cannot be nested is refused before anything is changed."""
    run(
        """
        import asyncio, rtnb

        class Foreign(asyncio.AbstractEventLoop):
            def close(self):
                pass

        asyncio.new_event_loop = Foreign
        try:
            rtnb.allow_nested_asyncio()
        except rtnb.ConfigurationError as error:
            assert "cannot be nested" in str(error) and "await main()" in str(error)
        else:
            raise AssertionError("not refused")
        assert not hasattr(asyncio, "_nest_patched")
        """
    )


def test_an_applied_nest_asyncio_is_recognized() -> None:
    """What nest-asyncio leaves behind is refused, with the way out, though nest-asyncio2 is installed."""
    run(
        """
        import asyncio, rtnb
        asyncio._nest_patched = True
        try:
            rtnb.allow_nested_asyncio()
        except rtnb.ConfigurationError as error:
            assert "Restart the kernel" in str(error) and "queued cells" in str(error), error
        else:
            raise AssertionError("not refused")
        """
    )


@pytest.mark.parametrize("version", ["1.7.3", "1.7.4", "1.8", "2.0.0rc1"])
def test_a_good_version_is_taken(version: str) -> None:
    """1.7.3 and everything later will do, whatever else is installed."""
    assert refusal(version, "1.6.0", old_applied=False, loop_type=PLAIN) == ""


@pytest.mark.parametrize("version", ["1.7.2", "1.7.0", "1.7", "1.6.0", "unknown"])
def test_a_version_that_loses_cells_is_refused(version: str) -> None:
    """nest-asyncio2 before 1.7.3 loses what nest-asyncio lost, so it is refused by name with what to install."""
    said = refusal(version, None, old_applied=False, loop_type=PLAIN)
    assert version in said
    assert "nest-asyncio2>=1.7.3" in said


def test_nest_asyncio_alone_is_refused_with_the_reason() -> None:
    """Where only the archived package is installed, the message says what it would lose and what to install."""
    said = refusal(None, "1.6.0", old_applied=False, loop_type=PLAIN)
    assert "Only nest-asyncio 1.6.0" in said
    assert "loses queued cells and widget messages on ipykernel 7.1" in said
    assert "nest-asyncio2>=1.7.3" in said


def test_neither_package_says_what_to_install() -> None:
    """Where neither is installed, the message names the one that is needed."""
    assert "nest-asyncio2>=1.7.3" in refusal(None, None, old_applied=False, loop_type=PLAIN)


def test_an_applied_nest_asyncio_without_the_new_one_says_both() -> None:
    """Where the old one is applied and the new one missing, the message says to restart and to install."""
    said = refusal(None, "1.6.0", old_applied=True, loop_type=PLAIN)
    assert "Restart the kernel" in said
    assert "nest-asyncio2>=1.7.3" in said


def test_a_foreign_loop_is_named() -> None:
    """A loop such as uvloop's is refused by its name."""
    assert "ForeignLoop" in refusal("1.7.4", None, old_applied=False, loop_type=ForeignLoop)
