"""Reports: tables, plots and the page that combines them."""
