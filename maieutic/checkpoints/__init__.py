"""Opening checkpoints: files, devices, batches, memory and fingerprints."""
