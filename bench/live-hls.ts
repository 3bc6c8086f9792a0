// What is used today, beside it: ffmpeg's HLS, hls.js and P2P Media Loader, with the same bars in the same picture.
import type { Browser } from '@playwright/test';
import { spawn, type ChildProcess } from 'node:child_process';
import { createReadStream, existsSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { visit, type Visitor } from './live-browser.ts';
import { barsOf, CELLS, stripHeight } from './live-bars.ts';
import type { HlsLook, HlsSetting } from './live-hls-page.ts';
import { percentile } from './live-percentile.ts';
import type { SourceShape } from './live-source.ts';

/** How it is measured. */
export interface HlsTask {
	readonly shape: SourceShape;
	readonly setting: HlsSetting;
	readonly viewers: number;
	readonly delayMs: number;
	readonly videoBps: number;
	readonly warmMs: number;
	readonly windowMs: number;
}

/** What came of it. */
export interface HlsFigures {
	readonly setting: HlsSetting;
	readonly viewers: number;
	readonly p50Ms: number;
	readonly p95Ms: number;
	/** Of what viewers took in, 0 to 1. */
	readonly fromViewers: number;
	readonly freezes: number;
	readonly frozenMs: number;
	readonly frames: number;
}

/** Segments and key frames come each second. */
const SEGMENT_S = 1;

/** Broadcasts by ffmpeg to a server beside it, lets viewers come, and measures. */
export async function runHls(
	browser: Browser,
	{ dir, announceUrl }: { dir: string; announceUrl: string },
	task: HlsTask,
): Promise<HlsFigures> {
	const folder = join(dir, 'hls', `${Date.now()}`);
	mkdirSync(folder, { recursive: true });
	const origin = await serve([folder, join(dir, 'hls')]);
	const stop = broadcast(folder, task);
	const viewers: Visitor[] = [];
	try {
		while (!existsSync(join(folder, 'live.m3u8'))) await pause(200);
		await pause(4 * SEGMENT_S * 1000);
		for (let i = 0; i < task.viewers; i++) {
			const viewer = await visit(browser, `${origin.url}/`, { dir, delayMs: task.delayMs });
			viewers.push(viewer);
			await viewer.page.waitForFunction(() => 'playHls' in window);
			await viewer.page.evaluate(
				([playlist, announce, setting]) => window.playHls(playlist, announce, setting),
				[`${origin.url}/live.m3u8`, announceUrl, task.setting] as const,
			);
		}
		await pause(task.warmMs);
		for (const { page } of viewers) await page.evaluate(() => window.resetHls());
		await pause(task.windowMs);
		return sum(
			await Promise.all(viewers.map(({ page }) => page.evaluate(() => window.lookHls()))),
			task,
		);
	} finally {
		stop();
		await origin.close();
		for (const viewer of viewers) await viewer.close();
	}
}

function sum(looks: readonly HlsLook[], { setting, viewers }: HlsTask): HlsFigures {
	const delaysMs = looks.flatMap(({ seen }) => seen.delaysMs);
	const total = (of: (look: HlsLook) => number) => looks.reduce((all, look) => all + of(look), 0);
	const peerBytes = total((look) => look.peerBytes);
	return {
		setting,
		viewers,
		p50Ms: percentile(delaysMs, 50),
		p95Ms: percentile(delaysMs, 95),
		fromViewers: peerBytes / Math.max(1, peerBytes + total((look) => look.httpBytes)),
		freezes: total(({ seen }) => seen.freezes),
		frozenMs: total(({ seen }) => seen.frozenMs),
		frames: delaysMs.length,
	};
}

/** Draws the picture here and has ffmpeg encode and cut it; returns how to stop. */
function broadcast(folder: string, { shape, videoBps }: HlsTask): () => void {
	const { width, height, frameRate } = shape;
	const gop = String(frameRate * SEGMENT_S);
	const ffmpeg: ChildProcess = spawn(
		'ffmpeg',
		[
			...['-v', 'error', '-f', 'rawvideo', '-pix_fmt', 'gray', '-s', `${width}x${height}`],
			...['-use_wallclock_as_timestamps', '1', '-r', String(frameRate), '-i', 'pipe:0'],
			...['-re', '-f', 'lavfi', '-i', 'sine=frequency=330:sample_rate=48000'],
			...['-pix_fmt', 'yuv420p', '-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency'],
			...['-b:v', String(videoBps), '-maxrate', String(videoBps), '-bufsize', String(videoBps)],
			...['-g', gop, '-keyint_min', gop, '-sc_threshold', '0', '-c:a', 'aac', '-b:a', '96k'],
			...['-f', 'hls', '-hls_time', String(SEGMENT_S), '-hls_list_size', '12'],
			...['-hls_flags', 'delete_segments+independent_segments'],
			...['-hls_segment_filename', join(folder, 'part%d.ts'), join(folder, 'live.m3u8')],
		],
		{ stdio: ['pipe', 'ignore', 'inherit'] },
	);
	ffmpeg.stdin!.on('error', () => undefined);
	const texture = noise(width * 2, height);
	const began = performance.now();
	let drawn = 0;
	const timer = setInterval(() => {
		while (drawn < ((performance.now() - began) * frameRate) / 1000) {
			const shift = (drawn++ * 2) % width;
			ffmpeg.stdin!.write(drawFrame(texture, shift, shape));
		}
	}, 5);
	const stop = () => {
		clearInterval(timer);
		ffmpeg.kill('SIGKILL');
	};
	process.once('exit', stop);
	return stop;
}

function drawFrame(texture: Uint8Array, shift: number, { width, height }: SourceShape): Uint8Array {
	const frame = new Uint8Array(width * height);
	for (let y = 0; y < height; y++) {
		const from = y * width * 2 + shift;
		frame.set(texture.subarray(from, from + width), y * width);
	}
	const bars = barsOf(Date.now());
	const cell = width / CELLS;
	for (let y = 0; y < stripHeight(height); y++) {
		for (const [i, isWhite] of bars.entries()) {
			const row = y * width;
			frame.fill(isWhite ? 235 : 16, row + Math.round(i * cell), row + Math.round((i + 1) * cell));
		}
	}
	return frame;
}

/** Blotches, as hard to encode as a camera's picture. */
function noise(width: number, height: number): Uint8Array {
	const picture = new Uint8Array(width * height).fill(128);
	let state = 7;
	const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
	for (let i = 0; i < 1800; i++) {
		const [x, y, shade] = [random() * width, random() * height, 20 + random() * 200];
		const size = (height / 12) * random();
		for (let row = Math.floor(y); row < Math.min(height, y + size); row++) {
			const from = row * width + Math.floor(x);
			picture.fill(shade, from, Math.min((row + 1) * width, from + Math.floor(size)));
		}
	}
	return picture;
}

async function serve(folders: readonly string[]): Promise<{ url: string; close(): Promise<void> }> {
	const types: Record<string, string> = {
		js: 'text/javascript',
		html: 'text/html',
		m3u8: 'application/vnd.apple.mpegurl',
		ts: 'video/mp2t',
	};
	const server = createServer((request, response) => {
		const { pathname } = new URL(request.url ?? '/', 'http://hls');
		const name = basename(pathname) || 'index.html';
		const path = folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
		if (!path) {
			response.writeHead(404).end();
			return;
		}
		response.setHeader('content-type', types[name.split('.').pop()!] ?? '');
		response.setHeader('cache-control', 'no-store');
		createReadStream(path)
			.on('error', () => response.destroy())
			.pipe(response);
	});
	await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
	const { port } = server.address() as AddressInfo;
	return {
		url: `http://localhost:${port}`,
		async close() {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
		},
	};
}

function pause(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, ms));
}
