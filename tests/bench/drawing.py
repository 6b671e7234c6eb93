"""A bar chart as SVG, readable without colour, in light and in dark."""

import math
from html import escape

WIDTH, LEFT, RIGHT, ROW, GAP, TOP = 960, 330, 110, 20, 30, 56
STYLE = """
    text { font-family: "DejaVu Sans", Verdana, Arial, sans-serif; font-size: 13px; fill: #1b1f24; }
    .strong { font-weight: bold; }
    .end { text-anchor: end; }
    .page { fill: #ffffff; }
    .grid { stroke: #d0d7de; stroke-width: 1; }
    .ours { fill: #0b5cad; }
    .other { fill: #b08800; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; }
      .page { fill: #0d1117; }
      .grid { stroke: #30363d; }
      .ours { fill: #6cb6ff; }
      .other { fill: #d4a72c; }
    }
"""


def spoken(groups: list[tuple[str, list[tuple[str, float]]]]) -> str:
    """The chart as text, for those who cannot see it."""
    return " ".join(f"{name}: {', '.join(f'{label} {value:,.1f}' for label, value in group)}." for name, group in groups)


def bars(title: str, groups: list[tuple[str, list[tuple[str, float]]]]) -> str:
    """Groups of bars on a logarithmic scale, with values in milliseconds; the first one of each group is ours."""
    values = [value for _, group in groups for _, value in group]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    room = (WIDTH - LEFT - RIGHT) / (high - low)

    def along(value: float) -> float:
        return LEFT + (math.log10(value) - low) * room

    height = TOP + sum(GAP + ROW * len(group) for _, group in groups) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'role="img" aria-labelledby="title description">',
        f'  <title id="title">{escape(title)}</title>',
        f'  <desc id="description">{escape(spoken(groups))}</desc>',
        f"  <style>{STYLE}  </style>",
        f'  <rect class="page" width="{WIDTH}" height="{height}"/>',
        f'  <text class="strong" x="20" y="26">{escape(title)}</text>',
    ]
    for power in range(low, high + 1):
        x = LEFT + (power - low) * room
        parts.append(f'  <line class="grid" x1="{x:.0f}" y1="{TOP - 8}" x2="{x:.0f}" y2="{height - 12}"/>')
        parts.append(f'  <text class="end" x="{x - 4:.0f}" y="{TOP - 6}">{10.0**power:,g}</text>')
    y = TOP
    for name, group in groups:
        parts.append(f'  <text class="strong" x="20" y="{y + 20}">{escape(name)}</text>')
        y += GAP
        for number, (label, value) in enumerate(group):
            kind = "other" if number else "ours"
            parts.append(f'  <text class="end" x="{LEFT - 8}" y="{y + 13}">{escape(label)}</text>')
            parts.append(f'  <rect class="{kind}" x="{LEFT}" y="{y + 2}" width="{along(value) - LEFT:.1f}" height="{ROW - 6}"/>')
            parts.append(f'  <text x="{along(value) + 6:.1f}" y="{y + 13}">{value:,.{1 if value < 100 else 0}f}</text>')
            y += ROW
    return "\n".join([*parts, "</svg>", ""])
