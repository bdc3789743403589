"""The audit: what must be true of an installation, judged from what stands on its topics and the wall clock. Pure."""
