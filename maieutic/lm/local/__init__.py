"""Language models in this process, through Transformers."""
