#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""port_page.py NAME: a port's page, as Markdown.

What ports/NAME/README.md says of it, then what its recipe, the table in
docs/porting.md and its check say themselves.
"""
import ast
import pathlib
import re
import sys

PORTS = pathlib.Path("ports")
sys.path.insert(0, str(PORTS))
from port import read_recipe  # noqa: E402

TABLE = pathlib.Path("docs/porting.md")


def code(text):
    return f"```\n{text.rstrip()}\n```"


def commands(recipe):
    """The recipe's own lines, one command a line."""
    lines = []
    for key in ("configure", "build"):
        for command in re.split(r";\s+(?=make|\$CC|LIGHTTPD)",
                                recipe.get(key, "")):
            lines += [command] if command else []
    return "\n".join(lines)


def measured(name):
    """Image and least memory, from the table."""
    for line in TABLE.read_text().splitlines():
        if f"](../ports/{name}/README.md)" in line:
            return [cell.strip() for cell in line.split("|")[3:5]]
    sys.exit(f"{TABLE} has no row of {name}")


def facts(recipe):
    image, memory = measured(recipe["name"])
    needs = recipe.get("needs", "").split()
    yield "| what | value |\n| --- | --- |"
    yield f"| version | {recipe['version']} |"
    yield (f"| source | Debian's source package `{recipe['package']}`, "
           "unchanged |")
    yield f"| SHA-256 | `{recipe['sha256']}` |"
    if needs:
        yield f"| with | {', '.join(needs)} |"
    if image:
        yield f"| stripped image | {image} |"
        yield f"| least memory | {memory} |"


def started(recipe):
    port = recipe.get("publish")
    words = ["toril-run", *([f"-p {port}:{port}"] if port else []),
             *recipe.get("options", "").split()]
    return " ".join([*words, f"build/ports/{recipe['name']}/{recipe['run']}"])


def first_paragraph(text):
    return " ".join(text.split("\n\n")[0].split())


def checks(name):
    """The check's cases in the order in which they run, as words."""
    tree = ast.parse((PORTS / name / "check.py").read_text())
    notes = {f.name: ast.get_docstring(f) for f in tree.body
             if isinstance(f, ast.FunctionDef)}
    yield first_paragraph(ast.get_docstring(tree))
    yield ""
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and \
                ast.unparse(call.func) == "harness.run":
            for case in call.args[1].elts:
                note = notes.get(case.id)
                yield (f"- {case.id.replace('_', ' ')}"
                       + (f": {first_paragraph(note)}" if note else ""))


def page(name):
    recipe = read_recipe(name)
    yield (PORTS / name / "README.md").read_text()
    yield "## At a glance\n"
    yield "\n".join(facts(recipe))
    yield "\n## Built with\n"
    for need in recipe.get("needs", "").split():
        yield f"{need}:\n\n{code(commands(read_recipe(need)))}\n"
    yield code(commands(recipe))
    yield f"\n`make port-{name}` fetches, builds and checks it.\n"
    yield f"## Started with\n\n{code(started(recipe))}\n"
    for path in sorted((PORTS / name).glob("*.conf")):
        yield f"`{path}`:\n\n{code(path.read_text())}\n"
    yield "## Checked by\n"
    yield "\n".join(checks(name))


print("\n".join(page(sys.argv[1])))
