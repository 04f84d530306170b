"""Reports: one static page about a run, with its curves, returns, videos and configuration."""

from morphnet.report.write import write_report

__all__ = ["write_report"]
