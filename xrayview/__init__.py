"""XrayView: a desktop workbench for chest-radiograph research. Not for diagnosis."""

__version__ = "0.2.0"
