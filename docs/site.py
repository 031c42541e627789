"""What the documentation site adds to mkdocs: pages outside docs/, and checks of what its own checks leave out."""

import logging
import re
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

REPOSITORY = Path(__file__).parent.parent
PUBLISHED = (
    "*.md",
    "LICENSE",
    "aws-exports.sample.json",
    "benchmarks/**/*",
    "docs/**/*.md",
    "docs/pictures/*",
    "docs/site.css",
    "examples/**/*",
    "src/aws_iot/backend/template.yaml",
    "tests/**/*.py",
)
"""The files that are on the site, at the same place as in the repository. So links between them work in both."""

PAGES = "docs/"
LINK = re.compile(r'(?:href|src)="([^"]+)"')
LOADED = re.compile(
    r'<(?:script|img|iframe|link(?! rel="(?:canonical|next|prev)"))\b[^>]*(?:src|href)="((?:https?:)?//[^"]+)'
)
STRUCTURE = ("h1", "h2", "h3", "h4", "ul", "ol", "li", "pre", "tr", "blockquote")
"""The elements that both renderings of a page must have equally often."""

log = logging.getLogger("mkdocs.hooks.site")


def on_config(config: MkDocsConfig) -> None:
    """Replace each pattern in the navigation by the pages that it matches."""
    config.nav = _expand(config.nav)


def _expand(entry: Any) -> Any:
    if isinstance(entry, list):
        return [_expand(one) for one in entry]
    if isinstance(entry, dict):
        return {title: _expand(one) for title, one in entry.items()}
    if "*" not in entry:
        return entry
    return [path.relative_to(REPOSITORY).as_posix() for path in sorted(REPOSITORY.glob(entry))]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Publish the files of the repository, those of `docs/` at the top."""
    theme = [file for file in files if file.src_dir != config.docs_dir]
    paths = [
        path
        for pattern in PUBLISHED
        for path in sorted(REPOSITORY.glob(pattern))
        if path.is_file() and "__pycache__" not in path.parts
    ]
    return Files([*theme, *(_file(path.relative_to(REPOSITORY).as_posix(), config) for path in paths)])


def _file(path: str, config: MkDocsConfig) -> File:
    file = File(path, str(REPOSITORY), config.site_dir, config.use_directory_urls)
    file.dest_uri = file.dest_uri.removeprefix(PAGES)
    return file


def on_page_content(html: str, page: Page, **_: Any) -> None:
    """Warn about external links that cannot work, and about text that GitHub shows otherwise."""
    for link in map(unescape, LINK.findall(html)):
        if problem := _problem(link):
            log.warning("%s: the link %r %s", page.file.src_uri, link, problem)
    github = MarkdownIt("commonmark").enable("table").render(page.markdown or "")
    for element in STRUCTURE:
        here, there = (len(re.findall(rf"<{element}[\s>]", text)) for text in (html, github))
        if here != there:
            log.warning("%s has %d × <%s> here, but %d on GitHub", page.file.src_uri, here, element, there)


def on_post_page(output: str, page: Page, **_: Any) -> None:
    """Warn if a reader's browser would load something from elsewhere, which could count readers."""
    for address in LOADED.findall(output):
        log.warning("%s loads %s", page.file.src_uri, address)


def _problem(link: str) -> str | None:
    """What is wrong with the form of an external link; None if nothing is, or if it is not external."""
    try:
        url = urlsplit(link)
        port = url.port
    except ValueError as error:
        return f"is not an address: {error}"
    if not url.scheme and not url.netloc:
        return None
    if url.scheme != "https":
        return "does not begin with https:"
    if not re.fullmatch(r"([a-z\d]([a-z\d-]*[a-z\d])?\.)+[a-z]{2,}", url.hostname or "") or port:
        return "names no public host"
    if url.username or re.search(r"\s", link):
        return "has a user name or a blank"
    return None
