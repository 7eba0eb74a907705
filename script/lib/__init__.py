"""What the scripts share. Run with the repository as PYTHONPATH: `python -P -m script.lib.<module>`."""
