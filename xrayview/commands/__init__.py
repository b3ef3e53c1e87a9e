"""Commands of the command line, one module each; `xrayview.cli` registers them."""
