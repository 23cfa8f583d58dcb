"""Methods of others beside maieutic, on the same questions and models: runs and one page."""
