"""Reports as single HTML files: nothing is loaded from elsewhere, plots are inline SVG, A4 in print. Chinese first."""
