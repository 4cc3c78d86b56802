import { createServer } from "node:net";
import { chromium } from "playwright-core";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
// tests/python.ts
/** The project's Python, and programs that run in it. */
const root = fileURLToPath(new URL("../..", import.meta.url));
function python(args, env = {}) {
	const interpreter = process.env["PYTHON"] ?? `${root}/.venv/bin/python`;
	return spawn(interpreter, args, {
		cwd: root,
		env: {
			...process.env,
			...env
		}
	});
}
// tests/e2e/browser.ts
/** A real browser at the real server. */
async function open() {
	const port = await freePort();
	const url = `http://127.0.0.1:${port}`;
	const server = python(["frontend/tests/e2e/scripted_server.py", String(port)]);
	let log = "";
	server.stderr?.on("data", (chunk) => log += chunk.toString());
	const browser = await chromium.launch({
		executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
		args: ["--no-sandbox"]
	});
	for (let tries = 0; !await answers(url); tries++) {
		if (tries > 300 || server.exitCode !== null) throw new Error(`No server: ${log}`);
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
/** A person at the full-page chat. */
var Person = class Person {
	page;
	chat;
	/** What the page has asked of other origins, and what went wrong in it. */
	complaints = [];
	constructor(page, origin) {
		this.page = page;
		this.chat = page.frameLocator("iframe");
		page.on("request", (request) => {
			const url = request.url();
			if (!url.startsWith(origin) && !/^(data|blob|about):/.test(url)) this.complaints.push(url);
		});
		page.on("pageerror", (error) => this.complaints.push(String(error)));
		page.on("console", (message) => {
			if (message.type() === "error") this.complaints.push(message.text());
		});
	}
	static async at(site, options = {}) {
		const context = await site.browser.newContext(options);
		const person = new Person(await context.newPage(), site.url);
		context.setDefaultTimeout(1e4);
		await person.page.goto(site.url);
		await person.composer.waitFor();
		return person;
	}
	/** Set the element's options, as far as they are no functions. */
	async setOptions(options) {
		await this.page.evaluate((given) => {
			document.querySelector("openai-chatkit").setOptions({
				api: {
					url: "/chatkit",
					domainKey: "local"
				},
				...given
			});
		}, options);
	}
	get composer() {
		return this.chat.getByRole("textbox", { name: "Message" });
	}
	button(name) {
		return this.chat.getByRole("button", {
			name,
			exact: true
		});
	}
	text(text) {
		return this.chat.locator(".items").getByText(text).first();
	}
	async say(text) {
		await this.composer.fill(text);
		await this.composer.press("Enter");
	}
	async ask(text, answer) {
		await this.say(text);
		await this.text(answer).waitFor();
		await this.button("Send").waitFor();
	}
};
// benchmarks/.shot.ts
const site = await open();
for (const [scheme, width] of [["light", 1e3], ["dark", 400]]) {
	const ann = await Person.at(site, {
		colorScheme: scheme,
		viewport: {
			width,
			height: 1100
		}
	});
	await ann.say("read");
	await ann.text("Whoever waits").waitFor();
	await ann.page.waitForTimeout(1500);
	await ann.chat.locator(".scroller").evaluate((e) => e.scrollTop = 0);
	await ann.page.waitForTimeout(300);
	await ann.page.screenshot({ path: `/tmp/read-${scheme}.png` });
	console.log(ann.complaints);
}
await site.close();
process.exit(0);
export {};
