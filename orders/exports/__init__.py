"""Reports of any length as files: made by the worker from rows read at one moment, offered for seven days."""
