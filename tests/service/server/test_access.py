"""Which requests the service accepts, without a socket."""

from __future__ import annotations

import pytest

from rtnb.service.server.access import AccessRules, names_of

LOCAL = AccessRules("127.0.0.1", names_of("study"))
OPEN = AccessRules("0.0.0.0", names_of("study"))


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost", "LocalHost:8765", "[::1]:8765", "127.1.2.3:1"])
def test_programs_on_this_computer_are_let_in(host):
    """A program sends no Origin; a page of this computer's own, on any port, does."""
    assert LOCAL.refusal({"Host": host}) == ""
    for origin in ("http://localhost:8888", "https://127.0.0.1:3000", "http://[::1]"):
        assert LOCAL.refusal({"HOST": host, "oRiGiN": origin}) == ""


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8765",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evil.example@127.0.0.1",
        "127.0.0.1@evil.example",
        "192.168.1.5:8765",
        "study:8765",
        "0.0.0.0:8765",
        "127.0.0.1:8765, evil.example",
        "127.0.0.1/evil.example",
        "127.0.0.1:99999999",
        "[::1",
        "",
        "\x00",
    ],
)
def test_a_rebound_name_is_refused(host):
    """A Host header that does not name loopback is refused, with what to use instead."""
    assert "http://127.0.0.1" in LOCAL.refusal({"Host": host})
    assert LOCAL.refusal({}) != ""


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://evil.example:8765",
        "https://localhost.evil.example",
        "http://localhost@evil.example",
        "http://evil.example#localhost",
        "http://localhost, https://evil.example",
        "null",
        "",
        "file://",
        "chrome-extension://localhost",
        "http://[::1",
    ],
)
@pytest.mark.parametrize("rules", [LOCAL, OPEN], ids=["loopback", "open"])
def test_a_page_of_another_site_is_refused(rules, origin):
    """A foreign Origin is refused wherever the service listens, and the page is named without control characters."""
    assert "web page" in rules.refusal({"Host": "127.0.0.1:8765", "Origin": origin})


@pytest.mark.parametrize("host", ["192.168.1.5:8765", "[2001:db8::5]:8765", "study:8765", "study.local", "localhost:1"])
def test_an_open_service_is_reached_by_address_and_by_its_names(host):
    """Where it is open, every address, its own names and its own pages will do; other names still will not."""
    assert OPEN.refusal({"Host": host}) == ""
    assert OPEN.refusal({"Host": host, "Origin": f"http://{host}"}) == ""
    assert OPEN.refusal({"Host": "evil.example"}) != ""
    assert OPEN.refusal({"Host": host, "Origin": "http://evil.example"}) != ""


def test_a_service_bound_to_a_name_answers_to_it():
    """The name in --host is one of the service's own."""
    assert AccessRules("box.lab.example").refusal({"Host": "box.lab.example:8765"}) == ""


def test_the_warning_is_only_for_what_is_open():
    """An open service says so, and how to close it."""
    assert LOCAL.warning() == ""
    assert "--host 0.0.0.0 opens the service to the network" in OPEN.warning()


@pytest.mark.parametrize(
    ("host", "url_host", "hosts"),
    [
        ("127.0.0.1", "127.0.0.1", ("localhost", "127.0.0.1", "::1")),
        ("localhost", "localhost", ("localhost", "127.0.0.1", "::1")),
        ("::1", "[::1]", ("localhost", "127.0.0.1", "::1")),
        ("0.0.0.0", "127.0.0.1", ("localhost", "127.0.0.1", "::1", "study", "study.local")),
        ("192.168.1.5", "192.168.1.5", ("localhost", "127.0.0.1", "::1", "study", "study.local", "192.168.1.5")),
    ],
)
def test_where_it_is_reached(host, url_host, hosts):
    """URLs have a host that can be reached from here, and the certificate has every name that it is reached by."""
    rules = AccessRules(host, names_of("study"))
    assert rules.url_host() == url_host
    assert rules.certificate_hosts() == hosts
