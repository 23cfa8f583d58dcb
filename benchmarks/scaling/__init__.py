"""What many questions cost: a model of it, and measurements of the driver, of large runs and of servers."""
