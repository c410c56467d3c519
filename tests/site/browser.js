// SPDX-License-Identifier: BSD-2-Clause
// Debian's Chromium, driven by playwright-core.
"use strict";
const {chromium} = require("playwright-core");

const WAIT = 300000; // ms; only to end what hangs

exports.WAIT = WAIT;
exports.PHONE = {width: 360, height: 740};
exports.DESKTOP = {width: 1280, height: 800};

exports.browser_start = () => chromium.launch({
	executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
	args: ["--disable-dev-shm-usage", "--disable-gpu"], timeout: WAIT});

exports.main = (run) => run().catch((error) => {
	console.error(error);
	process.exit(1);
});
