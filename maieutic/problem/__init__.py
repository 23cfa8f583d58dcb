"""Problems: many claims, one belief graph over all, hard constraints between them, one solution."""
