#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""report.py [FILE]: what a run of bench.py found, as text, tables and plots.

The tables of docs/performance.md lie between `<!-- table NAME -->` and
`<!-- end -->`; the plots in docs/performance/ are drawn here, from the run and
from figures of others that PEERS lists with where they come from.
"""
import html
import json
import os
import pathlib
import re
import sys

import goals
from machines import BUILD

DOC = "docs/performance.md"
PLOTS = "docs/performance"
HISTORY = "bench/history.tsv"
# What history.tsv keeps of each run.
KEPT = ["boot-mounted", "size-hello", "size-webserver", "memory-hello",
        "memory-webserver", "count-echo", "count-http", "count-http-close",
        "count-nginx", "count-redis-GET", "call-file", "start", "http-1",
        "http-64", "echo-1-1", "bulk-in", "bulk-out", "sequential-64K"]
# Measured by hand with Unikraft 0.16.3 (static binary, virtio-net) under the
# same QEMU with TCG on one CPU; Linux's figures are of this run.
UNIKRAFT = {"boot": 110000, "size-hello": 227800, "size-nginx": 1240000,
            "memory-hello": 1.75, "memory-nginx": 6, "nginx": 51000,
            "nginx-close": 96000}
COUNTED = "what: instructions (kicks, interrupts; bytes copied)"
LINUX_MEMORY = 72  # MiB: the least with which the guest gets to /init


def number(value):
    if isinstance(value, dict):
        if "median" in value:
            return (f"{digits(value['median'])} "
                    f"({digits(value['least'])}–{digits(value['most'])})")
        return (f"{value['instructions']:,} ({value['kicks']:g}, "
                f"{value['interrupts']:g}; {value['copied']:,})")
    return f"{value:,}"


def digits(value):
    """Three of them, or all before the point."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def compared(row):
    if "ratio" in row:
        return f"{row['ratio']:.2f}"
    if isinstance(row.get("linux"), dict) and "instructions" in row["linux"]:
        ours = row["toril"]["instructions"]
        return f"1/{row['linux']['instructions'] / ours:.1f}" if ours else ""
    return ""


def line(row):
    what = row["what"] + (f", {row['unit']}" if row["unit"] != "count" else "")
    return (f"{what}: {number(row['toril']) if 'toril' in row else '-'}"
            + (f"; Linux {number(row['linux'])}" if "linux" in row else "")
            + (f"; {compared(row)}" if compared(row) else ""))


def table(rows, names, head):
    out = [f"| {head} | Toril | Linux | ratio |", "| --- | ---: | ---: | ---: |"]
    for row in rows:
        if not re.fullmatch(names, row["name"]):
            continue
        what = row["what"] + (f", {row['unit']}" if row["unit"] != "count"
                              else "")
        out.append(f"| {what} | {number(row['toril'])} | "
                   f"{number(row['linux']) if 'linux' in row else ''} | "
                   f"{compared(row)} |" if "toril" in row else
                   f"| {what} | | {number(row['linux'])} | |")
    return "\n".join(out)


def goal_table(rows):
    out = ["| goal | measured | verdict |", "| --- | ---: | --- |"]
    for words, measured, met in goals.judged(rows):
        word = {True: "met", False: "**missed**", None: ""}[met]
        out.append(f"| {words} | {measured} | {word} |")
    return "\n".join(out)


def tables(run):
    rows = run["rows"]
    counted = "(?!idle-|files-).*"
    return {
        "goals": goal_table(rows),
        "counts": table([r for r in rows if r["unit"] == "count"],
                        counted, COUNTED),
        "growth": table(rows, "(idle|files)-.*|boot-[0-9].*",
                        COUNTED),
        "times": table([r for r in rows if r["unit"] != "count"], ".*",
                       "what, median (least–most)"),
        "plots": "\n".join(
            f"![{alternative(*bars)}]({os.path.basename(PLOTS)}/{name}.svg)"
            for name, bars in plots(rows)),
        "machine": f"Commit {run['commit']}, {run['date']}: "
                   f"{run['machine']['cpu']}, {run['machine']['cpus']} CPUs, "
                   f"QEMU {run['machine']['qemu']}; load average "
                   f"{run['machine']['load']:.1f} when it began.",
    }


def doc_write(run):
    text = pathlib.Path(DOC).read_text()
    for name, content in tables(run).items():
        text = re.sub(rf"(<!-- table {name} -->\n).*?(<!-- end -->)",
                      lambda m, c=content: m[1] + c + "\n" + m[2], text,
                      flags=re.S)
    pathlib.Path(DOC).write_text(text)


# As wide as a phone, so that nothing gets too small to read there.
PLOT_WIDTH, BAR = 400, 44
STYLE = """<style>
text { fill: #222; }
.ours { fill: #a4262c; } .other { fill: #78828c; }
@media (prefers-color-scheme: dark) {
	text { fill: #dcdcdc; }
	.ours { fill: #f08a80; } .other { fill: #8d97a1; }
}
</style>"""


def plot(title, unit, bars):
    """Bars from the left, each below its name, as an SVG picture."""
    most = max(value for _, value, _ in bars)
    height = 34 + BAR * len(bars)
    what = html.escape(f"{title}, {unit}")
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{PLOT_WIDTH}" '
           f'height="{height}" viewBox="0 0 {PLOT_WIDTH} {height}" '
           'font-family="sans-serif" font-size="14">',
           f"<title>{what}</title>", STYLE,
           f'<text x="2" y="20" font-weight="bold">{what}</text>']
    for i, (name, value, ours) in enumerate(bars):
        y = 34 + BAR * i
        width = max(2, round((PLOT_WIDTH - 80) * value / most))
        out += [f'<text x="2" y="{y + 14}">{html.escape(name)}</text>',
                f'<rect x="2" y="{y + 20}" width="{width}" height="16" '
                f'class="{"ours" if ours else "other"}"/>',
                f'<text x="{width + 8}" y="{y + 33}">{digits(value)}</text>']
    return "\n".join(out + ["</svg>", ""])


def alternative(title, unit, bars):
    """The same in words, for who does not see it."""
    return (f"{title}, {unit}: " + "; ".join(
        f"{name} {digits(value)}" for name, value, _ in bars) + ".")


def plots(rows):
    """Name, and what `plot` takes."""
    row = {r["name"]: r for r in rows}

    def count_of(name, kind="toril"):
        value = row[name][kind]
        return value["instructions"] if isinstance(value, dict) else value
    start = row["start"]
    yield "start", ("Start to the first HTTP answer", "ms", [
        ("Toril, web server", 1000 * start["toril"]["median"], True),
        ("Linux, web server", 1000 * start["linux"]["median"], False)])
    yield "size", ("Image", "KiB", [
        ("Toril, hello", count_of("size-hello") / 1024, True),
        ("Unikraft, hello", UNIKRAFT["size-hello"] / 1024, False),
        ("Toril, web server", count_of("size-webserver") / 1024, True),
        ("Toril, nginx", count_of("size-nginx") / 1024, True),
        ("Unikraft, nginx", UNIKRAFT["size-nginx"] / 1024, False)])
    yield "memory", ("Least memory", "MiB", [
        ("Toril, hello", count_of("memory-hello") / 1024, True),
        ("Unikraft, hello", UNIKRAFT["memory-hello"], False),
        ("Toril, nginx", count_of("memory-nginx") / 1024, True),
        ("Unikraft, nginx", UNIKRAFT["memory-nginx"], False),
        ("Linux, /init alone", LINUX_MEMORY, False)])
    yield "request", ("HTTP request, 4 KiB", "instructions", [
        ("Toril, web server", count_of("count-http"), True),
        ("Linux, web server", count_of("count-http", "linux"), False),
        ("Toril, nginx", count_of("count-nginx"), True),
        ("Unikraft, nginx", UNIKRAFT["nginx"], False),
        ("Linux, nginx", count_of("count-nginx", "linux"), False),
        ("Toril, nginx, a connection each", count_of("count-nginx-close"),
         True),
        ("Unikraft, nginx, a connection each", UNIKRAFT["nginx-close"],
         False),
        ("Linux, nginx, a connection each",
         count_of("count-nginx-close", "linux"), False)])


def history_append(run):
    rows = {r["name"]: r for r in run["rows"]}
    if not os.path.exists(HISTORY):
        pathlib.Path(HISTORY).write_text(
            "\t".join(["date", "commit", *KEPT, "goals"]) + "\n")
    values = []
    for name in KEPT:
        value = rows[name]["toril"]
        if isinstance(value, dict):
            value = value.get("instructions", value.get("median"))
        values.append(f"{value:.6g}")
    judged = [met for *_, met in goals.judged(run["rows"])]
    with open(HISTORY, "a", encoding="utf-8") as file:
        file.write("\t".join([run["date"], run["commit"], *values,
                              f"{judged.count(True)}/{len(judged)}"]) + "\n")


def record(run):
    history_append(run)
    doc_write(run)
    os.makedirs(PLOTS, exist_ok=True)
    for name, bars in plots(run["rows"]):
        pathlib.Path(PLOTS, name + ".svg").write_text(plot(*bars))


if __name__ == "__main__":
    path = sys.argv[1] if len(sys.argv) > 1 else f"{BUILD}/bench/results.json"
    record(json.loads(pathlib.Path(path).read_text()))
