"""Policies for other software: Stable-Baselines3 and ONNX."""

from morphnet.export.export import FORMATS, Handover, export_folder, export_policy

__all__ = ["FORMATS", "Handover", "export_folder", "export_policy"]
