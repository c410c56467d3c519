// SPDX-License-Identifier: BSD-2-Clause
//
// visit.js URL: every page that links lead to from there, in Chromium, on a
// phone and on a desktop, light and dark.  Prints JSON: `pages`, their
// addresses; `links`, how many; `problems`, each {kind, page, what}.
//
// A problem is: what the console says as error or warning; an exception; a
// request that failed, or was to any other address (those are cut off); an
// answer of 400 or more; a page wider than the screen; what axe-core finds;
// a link to a page or #fragment that is not there.
"use strict";
const fs = require("fs");
const {browser_start, main, PHONE, DESKTOP, WAIT} = require("./browser.js");
const AXE = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const WIDTHS = {phone: PHONE, desktop: DESKTOP};
const AT_ONCE = 2;

const start = new URL(process.argv[2]);
const seen = new Map(); // address of a page -> its ids, or null
const links = []; // {page, url}
const problems = [];
const told = new Set();

function problem(kind, page, what) {
	const key = `${kind} ${page} ${what}`;
	if (!told.has(key))
		problems.push({kind, page, what});
	told.add(key);
}

function without_fragment(url) {
	return url.origin + url.pathname + url.search;
}

// Whatever is asked of `page` and is not as it should be.
async function page_watch(page, name) {
	page.on("console", (m) => {
		if (["error", "warning"].includes(m.type()))
			problem("console", name(), m.text());
	});
	page.on("pageerror", (e) => problem("console", name(), e.message));
	page.on("requestfailed", (r) =>
		problem("request", name(), r.url() + " " + r.failure().errorText));
	page.on("response", (r) => {
		if (r.status() >= 400)
			problem("request", name(), `${r.url()} ${r.status()}`);
	});
	await page.route((url) => url.origin !== start.origin &&
		url.protocol !== "data:", (route) => {
		problem("foreign", name(), route.request().url());
		return route.abort();
	});
}

// Runs in the page.
function page_describe() {
	const found = (what, key) =>
		[...document.querySelectorAll(what)].map((e) => e[key]);
	return {ids: [...found("[id]", "id"), ...found("a[name]", "name")],
		links: [...found("a[href], link[href], area[href]", "href"),
			...found("img[src], script[src]", "src")]};
}

async function view_check(page, name, view, rules) {
	const root = await page.evaluate(() => ({
		wide: document.documentElement.scrollWidth,
		screen: document.documentElement.clientWidth}));
	if (root.wide > root.screen)
		problem("wide", name, `${view}: ${root.wide} of ${root.screen}`);
	const options = {resultTypes: ["violations"],
		...rules && {runOnly: rules}};
	const found = await page.evaluate(
		async (o) => (await axe.run(document, o)).violations, options);
	for (const v of found)
		problem("axe", name, `${view}: ${v.id}: ${v.help}: ` +
			v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(" "));
}

// All rules once for each width; colours are what dark changes.
async function page_visit(page, url) {
	for (const width of Object.keys(WIDTHS)) {
		await page.setViewportSize(WIDTHS[width]);
		for (const scheme of ["light", "dark"]) {
			await page.emulateMedia({colorScheme: scheme});
			if (!seen.get(url)) {
				const answer = await page.goto(url, {waitUntil: "load"});
				if (answer.status() >= 400)
					return;
				seen.set(url, await page.evaluate(page_describe));
				await page.evaluate(AXE);
			}
			await view_check(page, url, `${width}, ${scheme}`,
				scheme === "dark" && ["color-contrast"]);
		}
	}
}

async function worker(context, queue, busy) {
	const page = await context.newPage();
	let current = "";
	page.setDefaultTimeout(WAIT);
	await page_watch(page, () => current);
	while (queue.length || busy.count) {
		if (!queue.length) {
			await new Promise((done) => busy.waiting.push(done));
			continue;
		}
		current = queue.shift();
		busy.count++;
		try {
			await page_visit(page, current);
		} catch (error) {
			problem("request", current, error.message.split("\n")[0]);
		}
		for (const target of (seen.get(current) || {links: []}).links)
			link_follow(queue, current, new URL(target));
		busy.count--;
		busy.waiting.splice(0).forEach((done) => done());
	}
	await page.close();
}

function link_follow(queue, page, url) {
	if (url.origin !== start.origin)
		return;
	links.push({page, url});
	const target = without_fragment(url);
	if (/(\/|\.html)$/.test(url.pathname) && !seen.has(target)) {
		seen.set(target, null);
		queue.push(target);
	}
}

// What is no page is fetched; what is one must have the fragment.
async function links_check(context) {
	const other = new Map();
	for (const {page, url} of links) {
		const target = without_fragment(url);
		const ids = seen.get(target);
		if (!ids && !other.has(target))
			other.set(target, (await context.request.get(target)).status());
		const status = other.get(target) || 200;
		if (status >= 400)
			problem("link", page, `${url.href} ${status}`);
		const id = decodeURIComponent(url.hash.slice(1));
		if (ids && id && !ids.ids.includes(id))
			problem("link", page, `${url.href}: no such fragment`);
	}
}

async function site_visit() {
	const browser = await browser_start();
	const context = await browser.newContext();
	const queue = [start.href];
	const busy = {count: 0, waiting: []};
	seen.set(start.href, null);
	await Promise.all(Array.from({length: AT_ONCE},
		() => worker(context, queue, busy)));
	await links_check(context);
	await browser.close();
	const pages = [...seen].filter(([, found]) => found);
	console.log(JSON.stringify({pages: pages.map(([url]) => url),
		links: links.length, problems}));
}

main(site_visit);
