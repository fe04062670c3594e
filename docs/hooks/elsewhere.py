"""Pages link to files outside of docs/: configs, examples, results of benchmarks.

On the site these lie under source/, as they are in the repository; pages among them are shown as
pages. A link to a folder leads to its README, or stays plain text where it has none.
"""

import posixpath
import re
from collections.abc import Callable
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
DOCS, SOURCE = "docs/", "source/"
ALSO = ("CHANGELOG.md", "examples/README.md")
"""What the navigation names."""

_LINK = re.compile(r"(?P<text>!?\[(?:[^\[\]]|\[[^\]]*\])*\])\((?P<target>[^)\s]+)\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add to the site whatever its pages link to, and what the pages among that link to."""
    waiting = [*ALSO, *(DOCS + file.src_uri for file in files.documentation_pages())]
    while waiting:
        path = waiting.pop()
        uri = place_on_the_site(path)
        if files.get_file_from_path(uri) is None:
            files.append(
                File.generated(
                    config, uri, abs_src_path=str(ROOT / path), inclusion=InclusionLevel.NOT_IN_NAV
                )
            )
        elif path not in ALSO and not path.startswith(DOCS):
            continue
        if path.endswith(".md") and (ROOT / path).is_file():
            waiting += outside(path, (ROOT / path).read_text())
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links lead to where their targets are on the site."""
    return with_links(path_in_the_repository(page.file.src_uri), markdown)


def place_on_the_site(path: str) -> str:
    """Return where the site has a file of the repository."""
    return path.removeprefix(DOCS) if path.startswith(DOCS) else SOURCE + path


def path_in_the_repository(uri: str) -> str:
    """Return which file of the repository a file of the site is."""
    return uri.removeprefix(SOURCE) if uri.startswith(SOURCE) else DOCS + uri


def outside(page: str, markdown: str) -> list[str]:
    """Return the files outside of docs/ that a page of the repository links to."""
    found = (_meant(page, match["target"]) for match in _LINK.finditer(markdown))
    return [path for path in found if path and not path.startswith(DOCS)]


def with_links(page: str, markdown: str) -> str:
    """Return a page of the repository with the links that it has on the site."""
    return _LINK.sub(_replacing(page), markdown)


def _replacing(page: str) -> Callable[[re.Match[str]], str]:
    here = posixpath.dirname(place_on_the_site(page))

    def replace(match: re.Match[str]) -> str:
        target, _, anchor = match["target"].partition("#")
        plain = posixpath.normpath(posixpath.join(posixpath.dirname(page), target))
        path = _meant(page, match["target"])
        if path is None:
            is_folder = "://" not in target and (ROOT / plain).is_dir() and bool(target)
            return match["text"][1:-1] if is_folder else match[0]
        link = posixpath.relpath(place_on_the_site(path), here)
        return f"{match['text']}({link}{'#' + anchor if anchor else ''})"

    return replace


def _meant(page: str, target: str) -> str | None:
    """Return the file of the repository that a link of a page means, if it means one."""
    target = target.partition("#")[0]
    if not target or "://" in target or target.startswith("mailto:"):
        return None
    path = posixpath.normpath(posixpath.join(posixpath.dirname(page), target))
    if (ROOT / path).is_dir():
        path = posixpath.join(path, "README.md")
    return path if (ROOT / path).is_file() else None
