"""Reports: tables, plots and the page that has them all."""
