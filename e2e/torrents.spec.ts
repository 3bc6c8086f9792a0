import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { clipArgs, ffmpeg, hasFfmpeg, makeClip } from '../cli/testing/media.ts';
import { run, shoal, tidyFolder, tidyUp } from '../cli/testing/shoal.ts';
import { expect, test } from './fixtures.ts';
import { plays } from './picture.ts';

test.afterEach(tidyUp);

const sha1 = (bytes: Uint8Array) => createHash('sha1').update(bytes).digest('hex');

/** Drops files on a page, as from the desktop. */
async function drop(page: Page, files: Record<string, Buffer>): Promise<void> {
	const given = Object.entries(files).map(([name, bytes]) => [name, bytes.toString('base64')]);
	const transfer = await page.evaluateHandle((all) => {
		const made = new DataTransfer();
		for (const [name = '', base64 = ''] of all) {
			const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
			made.items.add(new File([bytes], name));
		}
		return made;
	}, given);
	for (const type of ['dragenter', 'dragover', 'drop']) {
		await page.dispatchEvent('main', type, { dataTransfer: transfer });
	}
}

test('a person drops a film; another opens the link, watches it and saves it', async ({
	people,
}) => {
	test.skip(!hasFfmpeg, 'needs ffmpeg');
	const path = join(tidyFolder(), 'film.mp4');
	makeClip(path, { seconds: 12 });
	const film = readFileSync(path);
	const giver = await people.open('/torrents/');
	await drop(giver, { 'film.mp4': film });
	await expect(giver.getByRole('listitem', { name: 'film.mp4' })).toBeVisible();
	await giver.getByRole('button', { name: 'Share', exact: true }).click();
	const link = await giver.getByRole('textbox', { name: 'Share link' }).inputValue();

	const taker = await people.open(new URL(link).pathname + new URL(link).hash);
	await taker.getByRole('button', { name: 'Play film.mp4' }).click();
	await plays(taker.locator('video'));
	const download = taker.waitForEvent('download');
	await taker.getByRole('button', { name: 'Save film.mp4' }).click();
	expect(sha1(readFileSync(await (await download).path()))).toBe(sha1(film));

	// What was added stays, for both.
	for (const page of [giver, taker]) {
		await page.reload();
		await expect(page.getByText(/All .* here/)).toBeVisible();
	}
	// The recording of a broadcast is such a torrent, and the watch page plays it.
	const infoHash = /[0-9a-f]{40}/.exec(link)?.[0] ?? '';
	const replay = await people.open(`/watch/#${infoHash}`);
	await plays(replay.locator('video'));
	await expect(replay.getByRole('heading', { name: 'film.mp4' })).toBeVisible();
});

test('a download is paused, outlives a reload as it is, and goes on to its end', async ({
	people,
	site,
}) => {
	const folder = tidyFolder();
	mkdirSync(join(folder, 'noise'));
	const bytes = Buffer.alloc(6_000_000, 'one two three four ');
	writeFileSync(join(folder, 'noise/data.bin'), bytes);
	const args = ['torrent', 'seed', 'noise', '--up-limit', '6', '--no-dht', '--app', site.url];
	const seeder = shoal(args, { cwd: folder });
	const [link] = await seeder.says(/^http\S+#[0-9a-f]{40}$/m);
	const page = await people.open('/torrents/');
	await page.getByRole('textbox').fill(link);
	await page.getByRole('button', { name: 'Add' }).click();
	const progress = page.getByRole('progressbar');
	const share = () => progress.evaluate((bar: HTMLProgressElement) => bar.value);
	await expect.poll(share, { timeout: 40_000 }).toBeGreaterThan(0.05);
	await page.getByRole('button', { name: 'Pause' }).click();
	await expect(page.getByText('Paused at')).toBeVisible();
	await page.reload();
	await expect(page.getByText('Paused at')).toBeVisible();
	// What had come in is still there.
	await expect.poll(share).toBeGreaterThan(0);
	expect(await share()).toBeLessThan(1);
	await page.getByRole('button', { name: 'Resume' }).click();
	await expect(page.getByText(/All 6.0 MB here/)).toBeVisible({ timeout: 60_000 });
	await page.getByRole('button', { name: 'noise', exact: true }).click();
	const download = page.waitForEvent('download');
	await page.getByRole('button', { name: 'Save data.bin' }).click();
	expect(sha1(readFileSync(await (await download).path()))).toBe(sha1(bytes));
});

test('the unmodified webtorrent in a browser fetches an archive, a window and a segment, byte for byte', async ({
	people,
	site,
}) => {
	test.skip(!hasFfmpeg, 'needs ffmpeg');
	const folder = tidyFolder();
	const app = ['--app', site.url];
	const seed = shoal(['seed', '-', '--archive', 'all.mp4', ...app], { cwd: folder });
	const source = ffmpeg(clipArgs({ seconds: 90, live: true }, '-f', 'mpegts', '-'));
	source.stdout.pipe(seed.child.stdin);
	const [broadcast] = await seed.says(/^http\S+$/m);
	const relay = shoal(['relay', broadcast, '--json', ...app], { cwd: folder });
	await relay.says(/"segments":([3-9]|\d\d)/);
	source.kill('SIGKILL');
	const archived = await run(
		['archive', broadcast, '-o', 'window.mp4', '--segments', 'pieces', ...app],
		{ cwd: folder },
	);
	expect(archived.code).toBe(0);
	await seed.exit;
	const [segment = ''] = readdirSync(join(folder, 'pieces')).filter((name) => /^\d+$/.test(name));
	const whole = shoal(['torrent', 'seed', 'all.mp4', 'window.mp4', ...app], { cwd: folder });
	await whole.says(/#[0-9a-f]{40}\n[^]*#[0-9a-f]{40}/);
	const piece = ['torrent', 'get', `pieces/${segment}.torrent`, '-o', `pieces/${segment}`];
	const part = shoal([...piece, '--seed', '--no-dht', ...app], { cwd: folder });
	await part.says(/It is here/);

	const page = await (await people.visit()).newPage();
	const bundle = join(import.meta.dirname, '../node_modules/webtorrent/dist/webtorrent.min.js');
	await page.route('**/assets/stock-webtorrent.js', (route) =>
		route.fulfill({ path: bundle, contentType: 'text/javascript' }),
	);
	await page.goto(`${site.url}/torrents/`);
	for (const [torrent, file] of [
		['all.mp4.torrent', 'all.mp4'],
		['window.mp4.torrent', 'window.mp4'],
		[`pieces/${segment}.torrent`, `pieces/${segment}/segment`],
	] as const) {
		const digest = await page.evaluate(fetchWithStock, {
			base64: readFileSync(join(folder, torrent)).toString('base64'),
			module: `${site.url}/assets/stock-webtorrent.js`,
		});
		expect(digest).toBe(sha1(readFileSync(join(folder, file))));
	}

	// The archive's own link is its replay.
	const link = /http\S+\/watch\/#[0-9a-f]{40}/.exec(seed.stderr)?.[0] ?? '';
	const replay = await people.open(new URL(link).pathname + new URL(link).hash);
	await plays(replay.locator('video'));
});

/** Runs in the page: what the stock package fetches of a torrent's first file, by its SHA-1. */
async function fetchWithStock({
	base64,
	module,
}: {
	base64: string;
	module: string;
}): Promise<string> {
	const { default: WebTorrent } = (await import(module)) as {
		default: new (options: object) => {
			add(
				source: Uint8Array,
				done: (torrent: { files: { blob(): Promise<Blob> }[] }) => void,
			): void;
			destroy(): void;
		};
	};
	const source = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
	const client = new WebTorrent({ tracker: { rtcConfig: { iceServers: [] } } });
	const blob = await new Promise<Blob>((resolve, reject) => {
		client.add(source, (torrent) => {
			torrent.files[0]?.blob().then(resolve, reject);
		});
	});
	const digest = await crypto.subtle.digest('SHA-1', await blob.arrayBuffer());
	client.destroy();
	return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
