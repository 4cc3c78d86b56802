import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { chromium } from "playwright-core";
import { spawn } from "node:child_process";
import { join } from "node:path";
// tests/python.ts
/** The project's Python, and programs that run in it. */
const root = join(import.meta.dirname, "../..");
const interpreter = process.env["PYTHON"] ?? `${root}/.venv/bin/python`;
function python(args, env = {}) {
	return spawn(interpreter, args, {
		cwd: root,
		env: {
			...process.env,
			...env
		}
	});
}
readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
async function open() {
	const env = { TZ: "Pacific/Auckland" };
	return launch((port) => python(["frontend/tests/e2e/scripted_server.py", String(port)], env));
}
/** Open a browser, with names that lead to this machine, at what a program serves. */
async function launch(serve, names = []) {
	const port = await freePort();
	const url = `http://127.0.0.1:${port}`;
	const server = serve(port);
	let log = "";
	server.stderr?.on("data", (chunk) => log += chunk.toString());
	const browser = await chromium.launch({
		executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
		args: [
			"--no-sandbox",
			"--use-fake-device-for-media-stream",
			`--host-resolver-rules=${names.map((name) => `MAP ${name} 127.0.0.1`).join(",")}`
		]
	});
	for (let tries = 0; !await answers(url); tries++) {
		if (tries > 1200 || server.exitCode !== null) throw new Error(`No server: ${log}`);
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
	return {
		url,
		browser,
		close: async () => {
			await browser.close();
			server.kill();
		}
	};
}
async function freePort() {
	const server = createServer();
	await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address();
	await new Promise((resolve) => server.close(resolve));
	return port;
}
async function answers(url) {
	return fetch(`${url}/healthz`).then((response) => response.ok, () => false);
}
// ../../../tmp/md/cases.ts
const r = (s, n) => s.repeat(n);
const CASES = {
	"plain answer 100k": r("Some words with **bold** and `code`. ".repeat(4) + "\n\n", 700),
	"*a_ x17000": r("*a_", 17e3),
	"row of 30000 cells": "| a |\n| - |\n|" + r(" a |", 3e4),
	"head of 10000 cells": "|" + r(" a |", 1e4) + "\n|" + r(" - |", 1e4) + "\n|" + r(" a |", 1e4),
	"50000 combining marks": "a" + r("́", 5e4),
	"50000 combining marks spaced": r("á̂ ", 17e3),
	"[ x20000": r("[", 2e4),
	"[a x20000": r("[a ", 2e4),
	"![ x20000": r("![", 2e4),
	"[a](b x20000": r("[a](b", 2e4),
	"[a](<b x20000": r("[a](<b", 2e4),
	"[](\" x20000": r("[](/u \"", 2e4),
	"** nested": r("**a ", 2e4) + r(" b**", 2e4),
	"**a x20000 nospace": r("**a", 2e4),
	"*_ alternating": r("*_", 2e4) + "a" + r("_*", 2e4),
	"* run 100k": r("*", 1e5),
	"_a_ pairs": r("_a_ ", 2e4),
	"**a** pairs": r("**a** ", 2e4),
	"~~a x20000": r("~~a ", 2e4),
	"backticks growing": Array.from({ length: 400 }, (_, i) => r("`", i + 1) + " a").join(" "),
	"backticks shrinking": Array.from({ length: 400 }, (_, i) => r("`", 400 - i) + " a").join(" "),
	"` x100000 single spaced": r("` ", 5e4),
	"code pairs": r("`a` ", 25e3),
	"< x50000": r("<", 5e4),
	"<a x20000": r("<a ", 2e4),
	"<a b=\"c x20000": r("<a b=\"c ", 1e4),
	"<!-- x20000": r("<!-- a ", 2e4),
	"<? x20000": r("<? a ", 2e4),
	"<b> x20000": r("<b>", 2e4),
	"<b>a</b> x20000": r("<b>a</b>", 2e4),
	"<div>\\n x10000": r("<div>\n", 1e4),
	"<details>\\n\\n x5000": r("<details>\n\n", 5e3),
	"$ x50000": r("$", 5e4),
	"$a x25000": r("$a ", 25e3),
	"$x$ x10000": r("$x$ ", 1e4),
	"$$ x\\n": r("$$\n\n", 1e4),
	"$$a\\nb": r("$$\na\n\n", 1e4),
	"\\( x20000": r("\\(", 2e4),
	"\\[ x20000": r("\\[", 2e4),
	"\\[\\n x10000": r("\\[\na\n", 1e4),
	"> x5000": r(">", 5e3) + " a",
	"> x50000": r(">", 5e4) + " a",
	"> a lines growing": Array.from({ length: 300 }, (_, i) => r(">", i + 1) + " a").join("\n"),
	"> lines x10000": r("> a\n", 1e4),
	"> - > - x5000": r("> - ", 5e3) + "a",
	"lists deep 300": Array.from({ length: 300 }, (_, d) => r(" ", d * 2) + "- x").join("\n"),
	"lists deep 1000": Array.from({ length: 1e3 }, (_, d) => r(" ", d * 2) + "- x").join("\n"),
	"list - - - x5000": r("- ", 5e3) + "a",
	"list items x10000": r("- item\n", 1e4),
	"loose items x5000": r("- item\n\n", 5e3),
	"1. items x10000": r("1. item\n", 1e4),
	"blank in list": "- a\n" + r("  \n", 2e4) + "  b",
	"references 20000 defs": Array.from({ length: 2e4 }, (_, i) => `[r${i}]: /u${i}`).join("\n") + "\n\n[r1] and [r9999]",
	"references used+defs 5000": Array.from({ length: 5e3 }, (_, i) => `[r${i}]`).join(" ") + "\n\n" + Array.from({ length: 5e3 }, (_, i) => `[r${i}]: /u${i}`).join("\n"),
	"references spread 3000": Array.from({ length: 3e3 }, (_, i) => `See [r${i}].\n\n[r${i}]: /u${i}\n`).join("\n"),
	"footnotes 20000 refs": r("[^1] ", 2e4) + "\n\n[^1]: Note",
	"footnotes 5000 defs": Array.from({ length: 5e3 }, (_, i) => `Word[^n${i}].`).join("\n\n") + "\n\n" + Array.from({ length: 5e3 }, (_, i) => `[^n${i}]: Note ${i}`).join("\n\n"),
	"footnote chain 3000": "[^0]\n\n" + Array.from({ length: 3e3 }, (_, i) => `[^${i}]: see [^${i + 1}]`).join("\n\n"),
	"one line 200000 x": r("x", 2e5),
	"one line 200k words": r("word ", 4e4),
	"one line 200k marks": r("Some words of an answer with **bold** and `code` and a [link](https://a.test) in it, ", 2400),
	"one para 200k lines": r("word word word word\n", 1e4),
	"& x50000": r("&", 5e4),
	"&a x25000": r("&a", 25e3),
	"&amp; x20000": r("&amp;", 2e4),
	"&#1 x20000": r("&#1", 2e4),
	"http://a x10000": r("http://a ", 1e4),
	"http://a.b/ x10000": r("http://a.b/", 1e4),
	"https://( x20000": "https://a.b/" + r("(", 2e4),
	"https://a.b/)))": "https://a.b/" + r(")", 2e4),
	"https://a.b/;;": "https://a.b/" + r("&amp;", 1e4),
	"www. x10000": r("www.", 1e4),
	"a@ x20000": r("a@", 2e4),
	"a.a.a.@": r("a.", 2e4) + "@",
	"a@b.c x8000": r("a@b.c ", 8e3),
	"a_a_a no at": r("a_", 3e4),
	"delimiter flood": "|" + r("-|", 3e4) + "\n|" + r("-|", 3e4),
	"delimiter rows": r("| - |\n", 1e4),
	"pipes x100000": r("|", 1e5),
	"a|b lines (no table)": r("a|b\n", 1e4),
	"table rows 5000": "| a | b |\n| - | - |\n" + r("| c | d |\n", 5e3),
	"# x": r("# a\n", 5e3),
	"=== lines": r("a\n===\n", 5e3),
	"\\\\ x100000": r("\\", 1e5),
	"escapes": r("\\*", 3e4),
	"tabs": r("	", 5e4) + "a",
	"spaces": "a" + r(" ", 1e5) + "b",
	"crs": r("\r", 2e4) + "a",
	"newlines": r("\n", 1e5) + "a",
	"fence open 5000 lines": "```\n" + r("code line here\n", 5e3),
	"fence js 5000 lines": "```js\n" + r("let x = \"line\" + 1;\n", 5e3) + "```",
	"fences many": r("```\na\n```\n", 4e3),
	"fences unclosed growing": Array.from({ length: 400 }, (_, i) => r("`", i + 3) + "\na").join("\n"),
	"setext/para": r("a\n", 5e4),
	"brackets nested pairs": r("[", 1e4) + "a" + r("]", 1e4),
	"brackets pair links": r("[a](/u)", 1e4),
	"images": r("![a](/u)", 5e3),
	"中文 **": r("**中（文）**的", 5e3),
	"ab no spaces CJK": r("中文字", 6e4),
	"arabic": r("مرحبا **بك** ", 1e4),
	"emoji zwj": r("👨‍👩‍👧", 1e4),
	"katex heavy": "$" + r("{", 3900) + "$",
	"katex frac": "$$" + r("\\frac{1}{", 300) + "x" + r("}", 300) + "$$",
	"katex long": "$$\n" + r("x_1 + \\alpha ", 5e3) + "\n$$"
};
// ../../../tmp/md/cost.ts
const only = process.argv.slice(2);
const site = await open();
const context = await site.browser.newContext();
const page = await context.newPage();
await page.goto(site.url);
await page.frameLocator("iframe").getByRole("textbox", { name: "Message" }).waitFor();
let text = "";
const base = {
	thread_id: "t",
	created_at: "2026-01-01T00:00:00",
	type: "assistant_message"
};
await page.route("**/chatkit", async (route) => {
	const data = [{
		...base,
		id: "a" + text.length,
		content: [{
			type: "output_text",
			text,
			annotations: []
		}]
	}];
	const isList = route.request().postData()?.includes("items.list");
	const items = {
		data: isList ? data : [],
		has_more: false
	};
	await route.fulfill({ json: isList ? items : {
		...base,
		id: "t",
		items
	} });
});
const frame = page.frames()[1];
await context.newCDPSession(page);
let n = 0;
async function show(name, t, print) {
	text = t + "\n\nTHE END";
	n++;
	await frame.evaluate(() => {
		const w = window;
		w.loaf = [];
		w.obs?.disconnect();
		w.obs = new PerformanceObserver((l) => {
			for (const e of l.getEntries()) w.loaf.push([
				e.entryType,
				Math.round(e.duration),
				e.scripts ? Math.round(e.scripts.reduce((s, x) => s + x.duration, 0)) : 0
			]);
		});
		w.obs.observe({ type: "longtask" });
		new PerformanceObserver((l) => {
			for (const e of l.getEntries()) w.loaf.push([
				e.entryType,
				Math.round(e.duration),
				Math.round(e.scripts.reduce((s, x) => s + x.duration, 0))
			]);
		}).observe({ type: "long-animation-frame" });
	});
	const started = Date.now();
	await page.evaluate((id) => document.querySelector("openai-chatkit").setThreadId(id), "t" + n);
	let state = "ok";
	await frame.waitForFunction(() => [...document.querySelectorAll(".rich-text p, .footnotes, .rich-text")].some((e) => e.textContent?.includes("THE END")) && !document.querySelector(".piece + .plain"), void 0, {
		timeout: 6e4,
		polling: 200
	}).catch(() => {
		state = "TIMEOUT";
	});
	const took = Date.now() - started;
	await new Promise((r) => setTimeout(r, 300));
	const loaf = await frame.evaluate(() => window.loaf);
	if (print) {
		const tasks = loaf.filter((e) => e[0] === "longtask").map((e) => e[1]);
		const scripts = loaf.filter((e) => e[0] !== "longtask").map((e) => e[2]);
		console.log(`${name.padEnd(34)} ${String(t.length).padStart(7)} ch  longest task ${Math.max(0, ...tasks)}  longest script ${Math.max(0, ...scripts)}  n ${tasks.length} ${tasks.slice(0, 12)}  in all ${took} ${state}`);
	}
}
await show("warm", "# hi\n\nA **b** `c` $x^2$\n\n| a | b |\n| - | - |\n| c | d |\n\n```js\nlet x\n```", false);
await new Promise((r) => setTimeout(r, 1500));
await show("warm", "word **b** word `c` and *d* $x$ [a](/u) \n\n".repeat(3e3), false);
for (const [name, t] of Object.entries(CASES)) {
	if (only.length && !only.some((o) => name.includes(o))) continue;
	await show("x", "nothing", false);
	await show(name, t, true);
}
await site.close();
process.exit(0);
export {};
