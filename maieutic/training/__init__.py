"""Training: a loop that resumes, and the tokenizer and the untrained network of small language models."""
