"""Reports of the workbench: JSON documents, and the same as one HTML file with plots that can be zoomed."""
