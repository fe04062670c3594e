"""Files of data: found, downloaded, and read without running anybody's code."""
