"""The spool: saves messages on disk until they are acknowledged; one program sends for all that use it."""
