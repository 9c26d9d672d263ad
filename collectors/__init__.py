"""Sources of evidence: a folder each, and in it a module for each table."""
