"""What a configuration names, found by its name or by `path/to/file.py:function`."""
