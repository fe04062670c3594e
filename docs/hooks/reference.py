"""Pages that are made from the code while the site is built: all options, and all keys."""

import command_line
import config_keys
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

PAGES = {
    "reference/command-line.md": command_line.page,
    "reference/config-keys.md": config_keys.page,
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages."""
    for uri, page in PAGES.items():
        files.append(File.generated(config, uri, content=page()))
    return files
