// `npm run bench:link`: how long a burst of bytes takes over a data channel, by the size of its messages. Two ends in one page of a real
// browser, the link slowed by the browser's own emulation. `--delay MS` one way, `--bytes N` in a burst, `--json FILE`.
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { chromium } from '@playwright/test';
import { findBrowser } from '../scripts/find-browser.mjs';

const { values } = parseArgs({
	options: {
		delay: { type: 'string', default: '25' },
		bytes: { type: 'string', default: '36000' },
		json: { type: 'string' },
	},
});
const delayMs = Number(values.delay);
const burstBytes = Number(values.bytes);
const sizes = [16_397, 8000, 4000, 1100];
const BURSTS = 30;
/** The congestion window grows over the first ones. */
const WARM_BURSTS = 10;

const browser = await chromium.launch({ executablePath: findBrowser(), args: ['--no-sandbox'] });
const context = await browser.newContext({ permissions: ['camera', 'microphone'] });
const page = await context.newPage();
const cdp = await context.newCDPSession(page);
await cdp.send('Network.enable');
// Chromium delays what a page sends and what it receives: half of the delay each. Younger than Playwright's types.
await /** @type {(method: string, params: object) => Promise<unknown>} */ (cdp.send.bind(cdp))(
	'Network.emulateNetworkConditionsByRule',
	{
		offline: false,
		matchedNetworkConditions: [
			{ urlPattern: '', latency: delayMs / 2, downloadThroughput: -1, uploadThroughput: -1 },
		],
	},
);

/** @param {{ size: number, burstBytes: number, bursts: number }} task */
async function measure({ size, burstBytes, bursts }) {
	const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
	a.onicecandidate = ({ candidate }) => void (candidate && b.addIceCandidate(candidate));
	b.onicecandidate = ({ candidate }) => void (candidate && a.addIceCandidate(candidate));
	const channel = a.createDataChannel('link');
	const opened = new Promise((resolve) => (channel.onopen = resolve));
	/** @type {Promise<RTCDataChannel>} */
	const other = new Promise((resolve) => (b.ondatachannel = (event) => resolve(event.channel)));
	await a.setLocalDescription(await a.createOffer());
	await b.setRemoteDescription(/** @type {RTCSessionDescription} */ (a.localDescription));
	await b.setLocalDescription(await b.createAnswer());
	await a.setRemoteDescription(/** @type {RTCSessionDescription} */ (b.localDescription));
	const [receiver] = await Promise.all([other, opened]);
	receiver.binaryType = 'arraybuffer';
	const times = [];
	for (let burst = 0; burst < bursts; burst++) {
		const startedMs = performance.now();
		let left = burstBytes;
		const done = new Promise((resolve) => {
			receiver.onmessage = ({ data }) => {
				left -= data.byteLength;
				if (left === 0) resolve(undefined);
			};
		});
		for (let at = 0; at < burstBytes; at += size) {
			channel.send(new Uint8Array(Math.min(size, burstBytes - at)));
		}
		await done;
		times.push(performance.now() - startedMs);
		await new Promise((resolve) => setTimeout(resolve, 300));
	}
	a.close();
	b.close();
	return times;
}

const load = loadavg()[0] ?? 0;
const rows = [];
for (const size of sizes) {
	const times = await page.evaluate(measure, { size, burstBytes, bursts: WARM_BURSTS + BURSTS });
	const sorted = times.slice(WARM_BURSTS).sort((a, b) => a - b);
	const at = (/** @type {number} */ share) =>
		sorted[Math.floor(share * (sorted.length - 1))] ?? NaN;
	rows.push({ messageBytes: size, medianMs: Math.round(at(0.5)), p90Ms: Math.round(at(0.9)) });
}
const version = browser.version();
await browser.close();
console.log(
	`Chromium ${version}; ${burstBytes} bytes in a burst, ${delayMs} ms one way, ${BURSTS} bursts; load ${load.toFixed(1)}\n`,
);
console.log('| bytes in a message | burst across, median | 90th percentile |\n| --- | --- | --- |');
for (const { messageBytes, medianMs, p90Ms } of rows)
	console.log(`| ${messageBytes} | ${medianMs} ms | ${p90Ms} ms |`);
if (values.json)
	writeFileSync(values.json, JSON.stringify({ version, burstBytes, delayMs, load, rows }));
