#!/usr/bin/env python3
"""Studies as one page of HTML that needs nothing beside it.

usage: report.py STUDY.h5 ... -o report.html

Of each study: the statement that it looks into, what was expected and what was seen, the figure (as study.py draws it), the table of means, points
that failed, where the numbers come from, and the study file. For a screen, a telephone or paper: a wide table takes the window's width before it
scrolls within its box, and all of the page's in print.
"""
import argparse
import html
import io
import os
import re
import sys

import style
import numpy as np
from style import plt
import study as study_plot
from studyfile import Study, said, text

MOST_ROWS = 200  # of a table

CSS = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1rem; font: 1rem/1.5 Georgia, "Times New Roman", serif; color: #1a1a1a; background: #fff;
  overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.2; } h2 { font-size: 1.3rem; line-height: 1.25; margin: 2.5rem 0 .5rem; border-top: 1px solid #d0d0d0; padding-top: 1.2rem; }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; }
a { color: #00588a; }
.statement { border-left: 3px solid #0072b2; margin: .8rem 0; padding: .1rem 0 .1rem .8rem; }
.source { color: #555; }
.box { overflow-x: auto; width: max-content; min-width: 100%; max-width: calc(100vw - 3rem); position: relative; left: 50%; transform: translateX(-50%);
  border: 1px solid #e2e2e2; }
table { border-collapse: collapse; font: .82rem/1.35 "DejaVu Sans", Arial, sans-serif; font-variant-numeric: tabular-nums; min-width: 100%; }
th, td { padding: .28rem .6rem; text-align: right; white-space: nowrap; border-bottom: 1px solid #ececec; }
th { background: #f5f5f5; font-weight: 600; } th.left, td.left { text-align: left; } td.wrap { white-space: normal; min-width: 12rem; width: 45%; text-align: left; }
td.several { white-space: normal; min-width: 7rem; } td.measured { white-space: normal; overflow-wrap: normal; } td.measured .error { white-space: nowrap; }
.yes { color: #006b4e; font-weight: 600; } .no { color: #b04a00; font-weight: 600; }
.error { color: #666; }
figure { margin: .8rem 0; max-width: 36rem; } figure svg { width: 100%; height: auto; display: block; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem .8rem; margin: .4rem 0; font-size: .88rem; } dt { color: #555; } dd { margin: 0; min-width: 0; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f7f7f7; padding: .6rem; font-size: .8rem; margin: .4rem 0; }
summary { cursor: pointer; }
@media (max-width: 62rem) { .box { min-width: 0; width: auto; max-width: 100%; position: static; transform: none; } }
@media print { body { max-width: none; padding: 0; } .box { overflow: visible; width: auto; min-width: 0; max-width: none; position: static; transform: none;
  border: 0; } table { font-size: .55rem; } th, td, td.measured, td.measured .error { white-space: normal; overflow-wrap: anywhere; } th, td { padding: .15rem .25rem; }
  td.wrap, td.several { min-width: 0; } tr, figure { break-inside: avoid; } }
"""


def escape(value):
    return html.escape(str(value), quote=True)


def number(value, digits=4):
    """For a cell; a minus sign in place of a hyphen."""
    return "\N{EN DASH}" if np.isnan(value) else f"{value:.{digits}g}".replace("-", "\N{MINUS SIGN}")


def cell(value, kind="td", style_=""):
    return "<%s%s>%s</%s>" % (kind, ' class="%s"' % style_ if style_ else "", value, kind)


def table(head, rows):
    """head: (name, class); rows of cells of HTML."""
    lines = ["<tr>%s</tr>" % "".join(cell(escape(name), "th", kind.replace("wrap", "left")) for name, kind in head)]
    lines += ["<tr>%s</tr>" % "".join(cell(value, "td", kind) for value, (_, kind) in zip(row, head)) for row in rows]
    return '<div class="box" tabindex="0"><table>\n%s\n</table></div>' % "\n".join(lines)


# ---- what was expected, and what was seen --------------------------------------------------------------------------


def verdict(fit):
    word = said(fit)
    kind = {1: "yes", 0: "no"}.get(int(fit.inside))
    return '<span class="%s">%s</span>' % (kind, word) if kind else escape(word)


def interval(fit):
    return "" if np.isnan(fit.low) else f"[{number(fit.low, 3)}, {number(fit.high, 3)}]"


def expected(fit):
    """The exponent, and the range that counts as it."""
    least, most = getattr(fit, "within_low", fit.expect), getattr(fit, "within_high", fit.expect)
    return number(fit.expect) + ("" if np.isnan(fit.expect) or least == most else f", or in [{number(least, 3)}, {number(most, 3)}]")


def sentence(fit):
    """A fit in words, with its number."""
    where = f" ({escape(fit.series)})" if fit.series else ""
    if np.isnan(fit.exponent):
        return f"{escape(fit.y)} against {escape(fit.x)}{where}: {verdict(fit)}."
    words = f"{escape(fit.y)} goes like {escape(fit.x)}<sup>{number(fit.exponent, 3)}</sup>{where}"
    if not np.isnan(fit.low):
        words += f", 95 % of the exponent {interval(fit)}"
    if np.isnan(fit.expect):
        return words + "."
    return words + f"; expected {expected(fit)}: {verdict(fit)}."


def fits(study):
    head = [("y", "left"), ("x", "left"), ("series", "left"), ("expected", ""), ("seen", ""), ("95 %", ""), ("R\N{SUPERSCRIPT TWO}", ""), ("rows", ""),
            ("left out", ""), ("verdict", "left")]
    rows = [(escape(f.y), escape(f.x), escape(f.series), expected(f), number(f.exponent), interval(f), number(f.r2), int(f.points), int(f.left_out),
             verdict(f)) for f in study.fits]
    note = "<p class=\"source\">Left out: rows where x or y is no positive number.</p>" if any(f.left_out for f in study.fits) else ""
    return "<h3>Expected and seen</h3>\n" + table(head, rows) + note if rows else ""


# ---- a study -------------------------------------------------------------------------------------------------------


def figure(study, place):
    """The figure as SVG, letters as paths: the same without its fonts."""
    out = io.StringIO()
    with plt.rc_context({"svg.fonttype": "path", "svg.hashsalt": f"{place}"}):
        drawn = study_plot.figure(study)
        drawn.savefig(out, format="svg", bbox_inches="tight", pad_inches=0.04, metadata={"Date": None, "Creator": None})
    plt.close(drawn)
    svg = out.getvalue()[out.getvalue().index("<svg"):]
    svg = re.sub(r'\b(id="|href="#|url\(#)', rf"\g<1>s{place}-", svg)  # names are the page's
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    alt = f"{study.name}: {', '.join(study.plot.y)} against {study.plot.x}"
    return '<figure role="img" aria-label="%s">%s</figure>' % (escape(alt), svg)


def means(study):
    columns, several = study.means, bool(study.over)
    head = [(key, "left" if isinstance(columns[key], list) else "") for key in columns.keys_] + [("points", "")] * several
    head += [(name, "measured") for name in study.measures]
    rows = []
    for i in range(min(columns.rows, MOST_ROWS)):
        row = [escape(columns[key][i]) if isinstance(columns[key], list) else f"{columns[key][i]:g}" for key in columns.keys_]
        row += [f"{columns['count'][i]:g}"] * several
        for name in study.measures:
            error = columns[name + ".standard_error"][i]
            row.append(number(columns[name][i], 5) + ("" if np.isnan(error) else f' <span class="error">\N{PLUS-MINUS SIGN} {number(error, 2)}</span>'))
        rows.append(row)
    title = "Means over " + ", ".join(map(escape, study.over)) + ", \N{PLUS-MINUS SIGN} their standard errors" if several else "What was measured"
    more = f"<p class=\"source\">The first {MOST_ROWS} of {columns.rows} rows.</p>" if columns.rows > MOST_ROWS else ""
    return f"<h3>{title}</h3>\n" + table(head, rows) + more


def failures(study):
    if not study.failures:
        return ""
    rows = [(n, escape(state), escape(message)) for n, state, message in study.failures[:MOST_ROWS]]
    return f"<h3>Points that failed: {len(study.failures)}</h3>\n" + table([("point", ""), ("state", "left"), ("what it said", "wrap")], rows)


def count(number_, word):
    return f"{int(number_)} {word}" + ("" if number_ == 1 else "s")


def provenance(study):
    p = study.provenance
    items = [("study", os.path.basename(study.path)), ("problem", study.problem), ("command", text(p["command"])),
             ("size", count(study.points, "point") + (f" and {count(study.references, 'reference')}" if study.references else "") + f"; done {study.done}, failed {study.failed}"),
             ("program", f"bellformer {text(p['bellformer'])}, PETSc {text(p['petsc'])}, HDF5 {text(p['hdf5'])}, {text(p['instruction_set'])}"),
             ("run", f"{text(p['date'])} on {text(p['host'])}, {count(p['ranks'], 'rank')}, {count(p['nodes'], 'node')}, {float(p['wall_seconds']):.3g} s")]
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in items)
    return f"<h3>Provenance</h3>\n<dl>{rows}</dl>\n<details><summary>the study file</summary><pre>{escape(study.yaml)}</pre></details>"


def section(study, place):
    statement = ""
    if study.statement:
        source = f' <span class="source">{escape(study.source)}</span>' if study.source else ""
        statement = f'<p class="statement">{escape(study.statement)}{source}</p>'
    seen = "".join(f"<p>Seen: {sentence(fit)}</p>" for fit in study.fits[:4])
    parts = [f'<h2 id="study-{place}">{escape(study.name)}</h2>', statement, seen, figure(study, place), fits(study), means(study), failures(study),
             provenance(study)]
    return "<section>\n" + "\n".join(part for part in parts if part) + "\n</section>"


# ---- the page ------------------------------------------------------------------------------------------------------


def contents(studies):
    rows = []
    for place, study in enumerate(studies):
        rates = "; ".join(dict.fromkeys(number(f.expect) for f in study.fits if not np.isnan(f.expect)))
        told = [f for f in study.fits if not np.isnan(f.expect)] or study.fits
        seen = "; ".join(number(f.exponent, 3) for f in told if not np.isnan(f.exponent))
        judged = [int(f.inside) for f in study.fits if not np.isnan(f.expect)]
        word = f"{judged.count(1)} of {len(judged)} as expected" if judged else ""
        word += f", {judged.count(-1)} without an answer" if -1 in judged else ""
        rows.append((f'<a href="#study-{place}">{escape(study.name)}</a>', escape(study.statement), rates, seen, word, f"{study.failed or ''}"))
    head = [("study", "left"), ("statement", "wrap"), ("expected", "several"), ("seen", "several"), ("verdict", "left"), ("failed points", "")]
    return table(head, rows)


def page(studies):
    title = "Convergence studies" if len(studies) > 1 else studies[0].name
    body = [f"<h1>{escape(title)}</h1>"] + ([contents(studies)] if len(studies) > 1 else [])
    body += [section(study, place) for place, study in enumerate(studies)]
    return ('<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{escape(title)}</title>\n<style>{CSS}</style>\n</head>\n<body>\n" + "\n".join(body) + "\n</body>\n</html>\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("studies", nargs="+", metavar="STUDY.h5")
    parser.add_argument("-o", required=True, metavar="PAGE", dest="out", help="HTML")
    options = parser.parse_args()
    style.spare(options.out)
    made = page([Study(path) for path in options.studies])
    try:
        with open(options.out, "w", encoding="utf-8") as out:
            out.write(made)
    except OSError as error:
        sys.exit(f"{options.out} cannot be written: {error}")


if __name__ == "__main__":
    main()
