import { mkdir, open } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { TorrentPatron, TorrentStatus } from '../src/lib/index.ts';
import { CliError, EXIT, explain } from './cli-error.ts';
import { Output, plain, showBytes } from './output.ts';
import type { OutputOptions } from './output.ts';
import { siteOptions } from './site.ts';
import type { SessionOptions } from './torrent-session.ts';
import { describeStatus, jsonStatus, openPatron, sessionOptions } from './torrent-session.ts';
import { readSource } from './torrent-source.ts';
import { aborted, stopSignal } from './until-stopped.ts';

type GetOptions = OutputOptions &
	SessionOptions & {
		output?: string;
		select?: string;
		seed?: boolean;
		stdout?: boolean;
		timeout?: string;
	};

/** `shoal torrent get`. */
export function addTorrentGet(torrent: Command): void {
	const command = torrent
		.command('get <source>')
		.description('fetch what a magnet link, infohash, .torrent file or address names')
		.option('-o, --output <folder>', 'where it goes', '.')
		.option('-s, --select <numbers>', 'these files only, as "torrent info" counts them: 0,2,4-6')
		.option('--stdout', 'write the one selected file to stdout, in order, while it comes in')
		.option('--seed', 'go on sharing when it is here, until Ctrl-C')
		.option('--timeout <seconds>', 'give up when nothing comes in for so long', '120');
	sessionOptions(siteOptions(command))
		.option('--json', 'say it in JSON, one object a line')
		.option('-q, --quiet', 'say nothing but the result')
		.addHelpText(
			'after',
			`
Stopped half-way, it goes on where it was when started again: what is here is checked, not fetched twice.

Examples:
  $ shoal torrent get "magnet:?xt=urn:btih:…" -o downloads
  $ shoal torrent get https://shoal.example/torrents/#1b0c… --app https://shoal.example
  $ shoal torrent get film.torrent --select 0 --stdout | mpv -`,
		)
		.action(get);
}

async function get(given: string, options: GetOptions): Promise<void> {
	const output = new Output({ ...options, quiet: options.quiet === true || !!options.stdout });
	const source = await readSource(given);
	const stopped = stopSignal();
	const folder = resolve(options.output ?? '.');
	await mkdir(folder, { recursive: true });
	const shared =
		/^https?:.*#/.test(given) && !options.app ? { ...options, app: siteIn(given) } : options;
	const { patron, close } = await openPatron(shared, folder, output, { site: false });
	try {
		const failed = new Promise<never>((_, reject) => {
			patron.on('failed', ({ code, message }) => {
				reject(new CliError(explain({ code }).exitCode, message));
			});
		});
		const { status } = await patron.add(source);
		const { infoHash } = status;
		const quiet = watchProgress(patron, output, Number(options.timeout) * 1000);
		const work = fetchAll(patron, infoHash, options, folder);
		const interrupted = aborted(stopped).then(() => {
			throw new CliError(
				EXIT.interrupted,
				'Stopped. What has come in is kept; the same command goes on from here',
			);
		});
		// Those that lose the race may still fail, and nobody listens any more.
		for (const promise of [failed, quiet, interrupted]) promise.catch(() => undefined);
		const last = await Promise.race([work, failed, quiet, interrupted]);
		const path = join(folder, last.name);
		if (!options.stdout) output.result(path, { ...jsonStatus(last), type: 'done', path });
		if (options.seed) {
			output.event('It is here. Sharing until you press Ctrl-C.');
			await aborted(stopped);
		}
	} finally {
		await close();
	}
}

async function fetchAll(
	patron: TorrentPatron,
	infoHash: string,
	options: GetOptions,
	folder: string,
): Promise<TorrentStatus> {
	const files = await described(patron, infoHash);
	const chosen =
		options.select === undefined ? undefined : parseSelection(options.select, files.length);
	if (chosen) {
		await patron.prioritise(
			infoHash,
			files.map(({ index }) => [index, chosen.has(index) ? 'normal' : 'off'] as const),
		);
	}
	if (options.stdout) {
		const wanted = files.filter(({ index }) => !chosen || chosen.has(index));
		const [only] = wanted;
		if (wanted.length !== 1 || !only) {
			throw new CliError(EXIT.usage, '--stdout takes one file: choose it with --select');
		}
		for await (const part of patron.read(infoHash, only.index)) await write(part);
	}
	for (;;) {
		const status = (await patron.list()).find((one) => one.infoHash === infoHash);
		if (status?.activity === 'seeding') {
			// Files without bytes have no pieces, so nothing has made them.
			for (const file of files) {
				if (file.lengthBytes > 0 || (chosen && !chosen.has(file.index))) continue;
				const path = join(folder, file.path);
				await mkdir(dirname(path), { recursive: true });
				await (await open(path, 'a')).close();
			}
			return status;
		}
		await new Promise((resolve) => patron.once('status', resolve));
	}
}

async function described(patron: TorrentPatron, infoHash: string) {
	for (;;) {
		const files = await patron.files(infoHash);
		if (files.length > 0) return files;
		await new Promise((resolve) => patron.once('status', resolve));
	}
}

/** Shows progress; rejects when nothing has come in for too long. */
function watchProgress(patron: TorrentPatron, output: Output, timeoutMs: number): Promise<never> {
	let progressAtMs = Date.now();
	let before = -1;
	return new Promise((_, reject) => {
		patron.on('status', ({ statuses }) => {
			const [status] = statuses;
			if (!status) return;
			if (output.json) output.event('', jsonStatus(status));
			else output.progress(describeStatus(status));
			const moved = status.downloadedBytes + status.pieces.verified;
			if (moved !== before || status.activity === 'checking') progressAtMs = Date.now();
			before = moved;
			if (status.activity === 'seeding' || !(timeoutMs > 0)) return;
			if (Date.now() - progressAtMs < timeoutMs) return;
			reject(new CliError(EXIT.network, whyNothing(status)));
		});
	});
}

function whyNothing(status: TorrentStatus): string {
	const answered = status.trackers.filter(({ state }) => state === 'answered');
	const got = status.doneBytes > 0 ? ` ${showBytes(status.doneBytes)} are here and kept.` : '';
	if (status.peers > 0)
		return `The ${status.peers} connected peers have nothing more to give.${got}`;
	if (answered.length === 0 && status.trackers.length > 0) {
		const [first] = status.trackers;
		return `No tracker answers (${plain(first?.detail ?? first?.url ?? '')}).${got}`;
	}
	return `Nobody who has it was found.${got}`;
}

function parseSelection(text: string, count: number): Set<number> {
	const chosen = new Set<number>();
	for (const range of text.split(',')) {
		const match = /^(\d+)(?:-(\d+))?$/.exec(range.trim());
		const from = Number(match?.[1]);
		const to = Number(match?.[2] ?? from);
		if (!match || to >= count || from > to) {
			throw new CliError(EXIT.usage, `--select ${text}: there are files 0 to ${count - 1}`);
		}
		for (let index = from; index <= to; index++) chosen.add(index);
	}
	return chosen;
}

function siteIn(link: string): string {
	const url = new URL(link);
	return url.origin + url.pathname.replace(/\/torrents\/?$/, '');
}

/** Writes to stdout as fast as its reader takes it. */
async function write(bytes: Uint8Array): Promise<void> {
	if (process.stdout.write(bytes)) return;
	await new Promise((resolve) => process.stdout.once('drain', resolve));
}
