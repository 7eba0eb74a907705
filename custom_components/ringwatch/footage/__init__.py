"""Footage requests, met at home: answers, packages and what becomes of them. Runs without Home Assistant.

Nothing is exported here: import the modules.
"""
