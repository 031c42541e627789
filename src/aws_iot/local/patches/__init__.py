"""Patches: one module for each behavior of AWS that the local stack's engine lacks, and one for its speed."""
