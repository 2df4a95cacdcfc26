"""Commands that call a running service, where something else listens at its address."""

import socket
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from service.cli import calling
from service.cli.app import app


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes connections and never says anything, as a broker does that waits for its CONNECT."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.parametrize(
    "command",
    [
        ("change", "list"),
        ("change", "propose", "works/TI-1/H", "setpoint=70", "--name", "a", "--reason", "b"),
        ("config", "history"),
    ],
)
def test_a_server_that_never_answers_is_given_up(
    silent: str, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setattr(calling, "GREETING", 0.2)
    told = CliRunner().invoke(app, [*command, "--url", silent, "--token", "t"])
    assert told.exit_code == 2, told.output
    assert f"{silent} takes connections, but has said nothing within 0.2 s: give --url the address" in told.output
