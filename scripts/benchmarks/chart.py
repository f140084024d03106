"""A chart of times against sizes, both logarithmic, as an SVG that is read on light and dark pages."""

import math
from html import escape

WIDTH, HEIGHT, GAP = 420, 340, 70
LEFT, TOP = 64, 40
# Of the lines, on light and on dark pages.
COLORS = [("#a3a3a3", "#7a7a7a"), ("#555555", "#c0c0c0"), ("#0b62c4", "#6cb2ff"),
          ("#b35c00", "#ffb05c"), ("#8a2be2", "#c9a0ff"), ("#00794b", "#59d6a3")]
STYLE = """text{font:12px system-ui,sans-serif;fill:#222}.title{font-weight:600;font-size:14px}
.grid{stroke:#ddd}.line{fill:none;stroke-width:2}
@media(prefers-color-scheme:dark){text{fill:#ddd}.grid{stroke:#444}%s}"""


def ticks(low, high):
    """Powers of ten around both."""
    return [10.0 ** power for power in range(math.floor(math.log10(low)),
                                             math.ceil(math.log10(high)) + 1)]


def duration(milliseconds):
    return f"{milliseconds / 1000:g} s" if milliseconds >= 1000 else f"{milliseconds:g} ms"


class Panel:
    """One chart: `series` has a list of (size, milliseconds) for each of the names."""

    def __init__(self, title, left, sizes, series):
        self.title, self.left, self.sizes, self.series = title, left, sizes, series
        times = [time for points in series for _, time in points]
        self.ticks = ticks(min(times), max(times))

    def x(self, size):
        low, high = math.log(self.sizes[0]), math.log(self.sizes[-1])
        share = (math.log(size) - low) / (high - low) if high > low else 0.5
        return self.left + share * WIDTH

    def y(self, time):
        low, high = math.log(self.ticks[0]), math.log(self.ticks[-1])
        return TOP + HEIGHT * (1 - (math.log(time) - low) / (high - low))

    def elements(self):
        yield f'<text class="title" x="{self.left}" y="{TOP - 18}">{escape(self.title)}</text>'
        for tick in self.ticks:
            y = self.y(tick)
            yield (f'<line class="grid" x1="{self.left}" x2="{self.left + WIDTH}" y1="{y:.1f}" '
                   f'y2="{y:.1f}"/><text x="{self.left - 6}" y="{y + 4:.1f}" '
                   f'text-anchor="end">{duration(tick)}</text>')
        for size in self.sizes:
            yield (f'<text x="{self.x(size):.1f}" y="{TOP + HEIGHT + 18}" '
                   f'text-anchor="middle">{size}</text>')
        for number, points in enumerate(self.series):
            places = [f"{self.x(size):.1f},{self.y(time):.1f}" for size, time in points]
            yield f'<polyline class="line c{number}" points="{" ".join(places)}"/>'
            for place in places:
                x, y = place.split(",")
                yield f'<circle class="dot c{number}" cx="{x}" cy="{y}" r="3"/>'


def svg(names, panels):
    """The chart.

    names: of the series, which all panels share; panels: (title, sizes, series) each.
    """
    drawn = [Panel(title, LEFT + number * (WIDTH + GAP), sizes, series)
             for number, (title, sizes, series) in enumerate(panels)]
    width = LEFT + len(drawn) * (WIDTH + GAP) - GAP + 24
    height = TOP + HEIGHT + 36 + 18 * len(names)
    dark = "".join(f".line.c{number}{{stroke:{color}}}.dot.c{number}{{fill:{color}}}"
                   for number, (_, color) in enumerate(COLORS))
    light = "".join(f".line.c{number}{{stroke:{color}}}.dot.c{number}{{fill:{color}}}"
                    for number, (color, _) in enumerate(COLORS))
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
             f'width="{width}" height="{height}" role="img">',
             f"<title>{escape(', '.join(title for title, _, _ in panels))}</title>",
             f"<style>{light}{STYLE % dark}</style>"]
    for panel in drawn:
        lines += panel.elements()
    for number, name in enumerate(names):
        y = TOP + HEIGHT + 46 + 18 * number
        lines.append(f'<line class="line c{number}" x1="{LEFT}" x2="{LEFT + 24}" y1="{y - 4}" '
                     f'y2="{y - 4}"/><text x="{LEFT + 32}" y="{y}">{escape(name)}</text>')
    return "\n".join(lines + ["</svg>", ""])
