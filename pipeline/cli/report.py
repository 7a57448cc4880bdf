"""`limelight report`."""

from typing import Annotated

import typer

from pipeline.cli.exit_codes import DONE
from pipeline.cli.invocation import Invocation
from pipeline.cli.options import Model

PageFile = Annotated[str, typer.Option("--to", metavar="FILE", help="Where the page goes.")]


def report(invocation: Invocation, *, model: Model, to: PageFile) -> int:
    """Write the report page of a model again."""
    from pipeline.cli.printing import print_made
    from pipeline.reports.collect import collect_model_report
    from pipeline.reports.described_model import check_described, rejections_beside
    from pipeline.reports.model_report import render_model_report
    from pipeline.storage.beam_files import BeamFiles
    from pipeline.storage.bundles import open_bundle
    from pipeline.storage.files import write_text

    files = BeamFiles()
    bundle = open_bundle(files, model)
    check_described(bundle)
    collected = collect_model_report(
        files,
        str(bundle.folder),
        manifest=bundle.manifest,
        rejected=rejections_beside(model, bundle.manifest),
    )
    write_text(files, to, render_model_report(collected))
    print_made("report", to)
    return DONE
