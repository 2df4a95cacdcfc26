"""The commands of the record: ``anshao evidence`` and ``anshao kpi``."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from service.cli.options import MAIN, ConfigOption


class _EvidenceGroup(TyperGroup):
    """``anshao evidence 1037`` makes; anything else is the name of a command."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """See click; its types are another package's, which typer does not name."""
        if args and args[0].isdecimal():
            args = ["make", *args]
        return super().resolve_command(ctx, args)


evidence = typer.Typer(
    cls=_EvidenceGroup,
    help="Evidence of an incident 证据包: `anshao evidence INCIDENT --out FILE`, `anshao evidence verify ZIP`.",
    no_args_is_help=True,
)


@evidence.command("make", hidden=True)
def evidence_make(
    incident: Annotated[int, typer.Argument(help="Number of the incident.")],
    out: Annotated[Path | None, typer.Option(help="The ZIP; default: incident-NUMBER.zip.")] = None,
    name: Annotated[str, typer.Option(help="Who makes it, as its manifest shall say.")] = "command line",
    config: ConfigOption = MAIN,
    *,
    without_samples: Annotated[bool, typer.Option(help="Leave samples and trends out.")] = False,
) -> None:
    """Write the evidence of an incident: journal with proof, samples, rules, messages, report. `make` may be left out.

    Example: `anshao evidence 1037 --out incident-1037.zip`
    """
    from service.cli.evidences import make_evidence  # noqa: PLC0415

    make_evidence(config, incident, out or Path(f"incident-{incident}.zip"), name, with_samples=not without_samples)


@evidence.command("verify", epilog="Example: `anshao evidence verify incident-1037.zip --key 5f70bf18a0860070`")
def evidence_verify(
    file: Annotated[Path, typer.Argument(help="The ZIP.", exists=True, dir_okay=False)],
    key: Annotated[
        list[str] | None,
        typer.Option(help="Fingerprint (16 digits or more) or file (.pub) of the key that must have signed."),
    ] = None,
) -> None:
    """Prove an evidence package, without database or service. Exit status 1 if it does not hold."""
    from service.cli.evidences import show_verdict  # noqa: PLC0415

    show_verdict(file, key or [])


def kpi(
    begin: Annotated[
        str | None, typer.Option("--from", help="Date or instant (ISO 8601); default: 30 days before --to.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="Not included; default: now.")] = None,
    scope: Annotated[str, typer.Option(help="all, desk, enterprise or region.")] = "all",
    id_: Annotated[str | None, typer.Option("--id", help="Which desk, enterprise or region.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the report with plots.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write a row for each desk, region and enterprise.")] = None,
    config: ConfigOption = MAIN,
) -> None:
    """Compute the key figures of alarm management 关键指标 from the journal."""
    from service.cli.figures import show_figures  # noqa: PLC0415

    show_figures(config, begin, end, scope, id_, html, csv)
