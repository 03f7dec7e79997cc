"""Make a site of pages that are written for the repository; mkdocs.yml names this hook.

The README is the site's first page, and its table "All of it" the nav. What a page links to outside
of docs becomes a page as well: a text as it is, a folder as its README and its files.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"(?<=\]\()(?!\w+:|#)([^)\s#]+)(#[^)\s]*)?(?=\))")
FENCE = re.compile(r"^ *(`{3,}).*?^ *\1$", re.MULTILINE | re.DOTALL)
ESCAPED = re.compile(r"`[^`\n]*\\\|[^`\n]*`")
"""A `|` in code in a table, which GitHub needs with a backslash and mkdocs without."""
ROW = re.compile(r"^\| (\w[^|]*) \| (.*) \|$", re.MULTILINE)
ENTRY = re.compile(r"\[([^\]]+)\]\(([^)#]+)(#[^)]*)?\)")
LOOKED_UP = re.compile(r"facts/|vscode/|(api|behaviours)\.md")
"""Pages that a search shows after those that explain."""
MOST_BYTES = 20_000
"""A file of a folder that is larger is named and not shown."""


def on_config(config: Any) -> Any:
    """Take the nav from the README's table, and add what the table leaves out."""
    sources.cache_clear()  # `mkdocs serve` builds again and again in one process
    nav: list[Any] = [{"Doorstep": "index.md"}]
    seen = {"index.md"}
    for section, cell in ROW.findall(table()):
        entries = []
        for title, target, anchor in ENTRY.findall(cell):
            page = page_of(target)
            if not anchor and page not in seen:
                entries.append({title.replace("`", ""): page})
                seen.add(page)
        nav.append({section: entries})
    others = sorted(page for page in sources() if page not in seen and "/" not in page)
    config.nav = [*nav, {"Project": others}]
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are not a file of docs already."""
    for page, path in sources().items():
        if page != path.removeprefix("docs/") or not path.startswith("docs/"):
            files.append(File.generated(config, page, content=text_of(path)))
    return files


def on_page_markdown(markdown: str, *, page: Any, config: Any, **_: Any) -> str:
    """Let the links of a page, which are those of the repository, lead to the site's pages."""
    here = page.file.src_uri
    explains = sources()[here].startswith("docs/") and not LOOKED_UP.match(here)
    page.meta["search"] = {"boost": 1 if explains else 0.5}
    page.meta["tags"] = config.extra["found_by"].get(here, "").split()
    folder = folder_of(sources()[here])

    def link(match: re.Match[str]) -> str:
        target = page_of(posixpath.normpath(posixpath.join(folder, match[1])))
        return posixpath.relpath(target, posixpath.dirname(here) or ".") + (match[2] or "")

    def change(text: str) -> str:
        return ESCAPED.sub(lambda code: code[0].replace("\\|", "|"), LINK.sub(link, text))

    return outside_fences(markdown, change)


def table() -> str:
    """Return the README's table of pages."""
    return (ROOT / "README.md").read_text("utf-8").split("## All of it")[1].split("\n## ")[0]


@cache
def sources() -> dict[str, str]:
    """Return the path in the repository of each of the site's pages, by the page's own path."""
    found: dict[str, str] = {}
    paths = ["README.md", *(p.relative_to(ROOT).as_posix() for p in ROOT.glob("docs/**/*.md"))]
    while paths:
        path = paths.pop()
        if page_of(path) not in found:
            found[page_of(path)] = path
            paths.extend(one for one in linked(path) if page_of(one).endswith(".md"))
    return found


def linked(path: str) -> Iterator[str]:
    """Return the paths in the repository that a page links to."""
    folder = folder_of(path)
    for match in LINK.finditer(FENCE.sub("", text_of(path))):
        target = posixpath.normpath(posixpath.join(folder, match[1]))
        if target.startswith("..") or not (ROOT / target).exists():
            raise PluginError(f"{path} links to {match[1]}, which is not in the repository")
        yield target


def folder_of(path: str) -> str:
    """Return the folder that the links of a page begin at."""
    return path if (ROOT / path).is_dir() else posixpath.dirname(path)


def page_of(path: str) -> str:
    """Return the site's path of a file or folder of the repository."""
    if path == "README.md":
        return "index.md"
    page = path.removeprefix("docs/")
    if (ROOT / path).is_dir():
        return page.rstrip("/") + "/index.md"
    return page if page != path or path.endswith(".md") else page + ".md"


def text_of(path: str) -> str:
    """Return the Markdown of a page: a file's own, or what shows a file or folder."""
    source = ROOT / path
    if source.is_dir():
        return folder_text(source)
    text = source.read_text("utf-8")
    return text if path.endswith(".md") else f"# {source.name}\n\n{shown(source)}"


def folder_text(folder: Path) -> str:
    """Return a folder's README, and below it the folder's files."""
    readme = folder / "README.md"
    parts = [readme.read_text("utf-8") if readme.exists() else f"# {folder.name}"]
    files = sorted(p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    for file in files:
        if file != readme:
            name = file.relative_to(folder).as_posix()
            parts.append(f"## `{name}`\n\n{shown(file)}")
    return "\n\n".join(parts)


def shown(file: Path) -> str:
    """Return a file as a block of code, or its size if it is large or no text."""
    raw = file.read_bytes()
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return f"{len(raw):,} bytes."
    if len(raw) > MOST_BYTES:
        return f"{len(raw):,} bytes."
    language = {".py": "python", ".json": "json", ".yaml": "yaml"}.get(file.suffix, "text")
    return f"````{language}\n{text.rstrip()}\n````"


def outside_fences(markdown: str, change: Any) -> str:
    """Change the text of a page but not its blocks of code."""
    parts, at = [], 0
    for fence in FENCE.finditer(markdown):
        parts += [change(markdown[at : fence.start()]), fence[0]]
        at = fence.end()
    return "".join([*parts, change(markdown[at:])])
