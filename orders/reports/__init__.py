"""Reports: one frame, one file per family; page, print, CSV, XLSX and JSON show the same rows."""
