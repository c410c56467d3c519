// SPDX-License-Identifier: BSD-2-Clause
// A search field above each long table.  Without this script the table is
// there whole.  ?q=WORDS in the address fills the field in.
"use strict";
const LONG = 60; // rows

function element(kind, attributes, ...children) {
	const made = Object.assign(document.createElement(kind), attributes);
	made.append(...children);
	return made;
}

// One choice for each word of the column "there", if the table has it.
function states(table, rows) {
	const heads = [...table.tHead.rows[0].cells];
	const column = heads.findIndex((h) => h.textContent === "there");
	if (column < 0)
		return null;
	const words = new Set(rows.map((r) => r.cells[column].textContent));
	const select = element("select", {ariaLabel: "State"},
		element("option", {value: "", textContent: "any state"}),
		...[...words].map((w) => element("option", {textContent: w})));
	select.column = column;
	return select;
}

function search_add(table) {
	const rows = [...table.tBodies[0].rows];
	const text = rows.map((r) => r.textContent.toLowerCase());
	const select = states(table, rows);
	const field = element("input", {type: "search",
		value: new URLSearchParams(location.search).get("q") || ""});
	const count = element("output");

	function show() {
		const words = field.value.toLowerCase().split(/\s+/);
		let shown = 0;
		rows.forEach((row, i) => {
			row.hidden = !words.every((w) => text[i].includes(w)) ||
				(select && select.value && select.value !==
				row.cells[select.column].textContent);
			shown += !row.hidden;
		});
		count.textContent = `${shown} of ${rows.length}`;
	}

	const form = element("form", {className: "search", role: "search"},
		element("label", {}, "Search ", field), ...select ? [select] : [],
		count);
	form.addEventListener("input", show);
	form.addEventListener("submit", (event) => event.preventDefault());
	table.parentElement.before(form);
	show();
}

for (const table of document.querySelectorAll("main table"))
	if (table.tBodies[0].rows.length > LONG)
		search_add(table);
