"""Tables, the sections of Benchmarks.md, and what the benchmarks' command lines share."""

import argparse


def markdown(rows):
    """Lines of a Markdown table; the first row is its head."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["| " + " | ".join(text.ljust(width) for text, width in zip(row, widths)) + " |"
             for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return lines


def write_section(path, title, command, lines):
    """Puts a section in place of the one with that title, or at the end."""
    head, sections = "# Benchmarks\n", {}
    if path.exists():
        head, *parts = path.read_text(encoding="utf-8").split("\n## ")
        sections = {part.split("\n", 1)[0]: part.split("\n", 1)[1].strip() for part in parts}
    sections[title] = f"Written by `{command} --write {path.name}`.\n\n" + "\n".join(lines)
    text = head.rstrip() + "\n" + "".join(
        f"\n## {name}\n\n{body}\n" for name, body in sections.items())
    path.write_text(text, encoding="utf-8")


def positive(text):
    """A count on the command line."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number
