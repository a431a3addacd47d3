"""The command line: each command parses, calls, and renders. The only place that exits."""
