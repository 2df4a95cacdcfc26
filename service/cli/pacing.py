"""How fast a command publishes what was recorded or simulated."""

import typer


def pace_of(speed: str) -> float | None:
    """``--speed``: how many times faster than real time; None for as fast as it goes. Exit status 2 for none."""
    if speed == "max":
        return None
    try:
        pace = float(speed)
    except ValueError:
        pace = 0.0
    if not 0 < pace < float("inf"):
        typer.echo(f"--speed {speed}: write 1 for real time, N for N times faster, or max", err=True)
        raise typer.Exit(2)
    return pace
