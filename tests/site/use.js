// SPDX-License-Identifier: BSD-2-Clause
//
// use.js URL: what a reader does with the site: search the table of kernel
// calls, with and without JavaScript, and find another page on a phone.
// Prints JSON: an array of what is not as it should be.
"use strict";
const {browser_start, main, PHONE, WAIT} = require("./browser.js");

const start = process.argv[2];
const problems = [];
const STATE = 2; // the column "there"

function expect(name, got, wanted) {
	if (JSON.stringify(got) !== JSON.stringify(wanted))
		problems.push(`${name}: ${JSON.stringify(got)}, not ` +
			JSON.stringify(wanted));
}

// The rows of the table of calls, those that are seen, as arrays of cells.
function rows_seen(page) {
	return page.locator("main table").last().evaluate((table) =>
		[...table.tBodies[0].rows].filter((r) => r.offsetHeight > 0)
			.map((r) => [...r.cells].map((c) => c.textContent)));
}

async function search_try(browser, all) {
	const page = await browser.newPage({viewport: PHONE});
	page.setDefaultTimeout(WAIT);
	await page.goto(start + "compatibility.html");
	const field = page.getByRole("searchbox");
	const state = page.getByRole("combobox");
	const count = page.locator(".search output");
	const expected = (word, there) => all.filter((r) =>
		r.join(" ").toLowerCase().includes(word) &&
		(!there || r[STATE] === there));

	expect("at first", await rows_seen(page), all);
	for (const [word, there] of [["epoll", ""], ["Epoll", ""], ["", "no"],
		["sched", "partly"], ["no such call", ""], ["", ""]]) {
		const wanted = expected(word.toLowerCase(), there);
		await field.fill(word);
		await state.selectOption(there);
		expect(`"${word}" ${there}`, await rows_seen(page), wanted);
		expect("count", await count.textContent(),
			`${wanted.length} of ${all.length}`);
	}
	await page.goto(start + "compatibility.html?q=openat2");
	expect("?q=openat2", (await rows_seen(page)).map((r) => r[1]),
		expected("openat2").map((r) => r[1]));
	await page.close();
}

// Without JavaScript there is the whole table, and nothing that would need
// it; the navigation opens, on a phone.
async function plain_try(browser) {
	const context = await browser.newContext({javaScriptEnabled: false,
		viewport: PHONE});
	const page = await context.newPage();
	page.setDefaultTimeout(WAIT);
	await page.goto(start + "compatibility.html");
	const all = await rows_seen(page);
	expect("hundreds of calls", all.length > 300, true);
	expect("read", all[0].slice(0, 3), ["0", "read", "yes"]);
	expect("fields", await page.locator("input, select").count(), 0);

	const menu = page.getByRole("navigation");
	expect("menu at first", await menu.isVisible(), false);
	await page.getByRole("link", {name: "All pages"}).click();
	await menu.waitFor({state: "visible"});
	await menu.getByText("Ports", {exact: true}).click();
	await menu.getByRole("link", {name: "redis"}).click();
	await page.waitForURL("**/port-redis.html");
	expect("title", await page.locator("h1").textContent(), "redis");
	await context.close();
	return all;
}

async function site_use() {
	const browser = await browser_start();
	const all = await plain_try(browser);
	await search_try(browser, all);
	await browser.close();
	console.log(JSON.stringify(problems));
}

main(site_use);
