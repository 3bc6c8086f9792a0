import { createServer, type IncomingMessage } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { ReceivedSegment, Viewer } from '../src/lib/index.ts';
import { toHex } from '../src/lib/node.ts';
import { CliError, EXIT } from './cli-error.ts';

/** One channel as HLS (RFC 8216, fragmented MP4) for players without WebRTC: televisions, VLC, phones' own players. */
export class HlsChannel {
	readonly #segments: ReceivedSegment[] = [];
	readonly #inits = new Map<string, Uint8Array>();
	readonly #streams = new Set<(segment: ReceivedSegment) => void>();
	/** Of all there have been: a playlist's target must not fall (RFC 8216 §6.2.1). */
	#longestUs = 0;
	#removed = 0;
	#gaps = 0;
	#ended = false;
	readonly #windowUs: number;

	constructor(windowMs: number) {
		this.#windowUs = windowMs * 1000;
	}

	/** Takes the next segment, in order. */
	add(segment: ReceivedSegment): void {
		const { manifest } = segment;
		this.#inits.set(toHex(manifest.initSha256), segment.init.bytes);
		this.#ended = false; // another broadcast of the channel
		this.#segments.push(segment);
		this.#longestUs = Math.max(this.#longestUs, manifest.durationUs);
		for (const send of this.#streams) send(segment);
		let heldUs = this.#segments.reduce((sum, held) => sum + held.manifest.durationUs, 0);
		while (this.#segments.length > 3 && heldUs > this.#windowUs) {
			const [gone, next] = this.#segments;
			heldUs -= gone?.manifest.durationUs ?? 0;
			if (gone && next && breaks(gone, next)) this.#gaps++;
			this.#segments.shift();
			this.#removed++;
		}
		const used = new Set(this.#segments.map((held) => toHex(held.manifest.initSha256)));
		for (const name of this.#inits.keys()) if (!used.has(name)) this.#inits.delete(name);
	}

	/** No more will come. */
	end(): void {
		this.#ended = true;
	}

	/** Answers `live.m3u8`, `init-….mp4`, `segment-….m4s` and `stream`; says whether it did. */
	answer(name: string, response: ServerResponse): boolean {
		if (name === 'live.m3u8') {
			const refusal = this.#refusal();
			response.setHeader('cache-control', 'no-store');
			response.statusCode = refusal?.status ?? 200;
			response.setHeader(
				'content-type',
				refusal ? 'text/plain; charset=utf-8' : 'application/vnd.apple.mpegurl',
			);
			response.end(refusal?.why ?? this.#playlist());
			return true;
		}
		if (name === 'stream') return this.#stream(response);
		const init = /^init-([0-9a-f]{64})\.mp4$/.exec(name)?.[1];
		const bytes = init ? this.#inits.get(init) : this.#find(name)?.bytes;
		if (!bytes) return false;
		response.setHeader('content-type', 'video/mp4');
		response.setHeader('cache-control', 'max-age=60');
		response.end(bytes);
		return true;
	}

	/** Why there is no playlist now. */
	#refusal(): { status: number; why: string } | undefined {
		const newest = this.#segments.at(-1);
		if (!newest) return { status: 503, why: 'Nothing has come in yet.\n' };
		if (/^\w+\/mp4\b/.test(newest.init.mime)) return undefined;
		return {
			status: 415,
			why: 'This channel is WebM, which HLS can’t carry. Open /stream instead.\n',
		};
	}

	#find(name: string): ReceivedSegment | undefined {
		return this.#segments.find((segment) => fileName(segment) === name);
	}

	#playlist(): string {
		const lines = [
			'#EXTM3U',
			'#EXT-X-VERSION:7',
			`#EXT-X-TARGETDURATION:${Math.max(1, Math.ceil(this.#longestUs / 1e6))}`,
			`#EXT-X-MEDIA-SEQUENCE:${this.#removed}`,
			`#EXT-X-DISCONTINUITY-SEQUENCE:${this.#gaps}`,
			'#EXT-X-INDEPENDENT-SEGMENTS',
		];
		let before: ReceivedSegment | undefined;
		for (const segment of this.#segments) {
			if (before && breaks(before, segment)) lines.push('#EXT-X-DISCONTINUITY');
			if (!before || before.init !== segment.init) {
				lines.push(`#EXT-X-MAP:URI="init-${toHex(segment.manifest.initSha256)}.mp4"`);
			}
			const at = new Date(segment.manifest.signedAtMs - segment.manifest.durationUs / 1000);
			lines.push(
				`#EXT-X-PROGRAM-DATE-TIME:${at.toISOString()}`,
				`#EXTINF:${(segment.manifest.durationUs / 1e6).toFixed(3)},`,
				fileName(segment),
			);
			before = segment;
		}
		if (this.#ended) lines.push('#EXT-X-ENDLIST');
		return `${lines.join('\n')}\n`;
	}

	/** One endless file from the newest key frame on; a reader that can't keep up is let go. */
	#stream(response: ServerResponse): boolean {
		const newest = this.#segments.findLast(({ manifest }) => manifest.sinceKeyFrame === 0);
		let init: unknown;
		const send = (segment: ReceivedSegment) => {
			if (response.writableLength > 16e6) {
				response.destroy();
				return;
			}
			if (init !== segment.init) response.write(segment.init.bytes);
			init = segment.init;
			response.write(segment.bytes);
		};
		response.setHeader('content-type', newest?.init.mime.split(';')[0] ?? 'video/mp4');
		response.setHeader('cache-control', 'no-store');
		const from = newest ? this.#segments.indexOf(newest) : this.#segments.length;
		for (const segment of this.#segments.slice(from)) send(segment);
		this.#streams.add(send);
		response.on('close', () => this.#streams.delete(send));
		return true;
	}
}

/** Feeds a channel from a viewer until that ends. */
export async function feedHls(viewer: Viewer, channel: HlsChannel): Promise<void> {
	for await (const segment of viewer.segments('live')) channel.add(segment);
	channel.end();
}

/** Serves channels at `/<channel id>/live.m3u8`, and the first at `/live.m3u8` too. */
export async function serveHls(
	channels: ReadonlyMap<string, HlsChannel>,
	address: string,
): Promise<{ url: string; close(): Promise<void> }> {
	const { host, port } = parseAddress(address);
	const answer = (request: IncomingMessage, response: ServerResponse) => {
		response.setHeader('access-control-allow-origin', '*');
		response.setHeader('x-content-type-options', 'nosniff');
		if (request.method !== 'GET' && request.method !== 'HEAD') {
			response.writeHead(405).end();
			return;
		}
		const parts = (request.url ?? '/').split('?', 1)[0]?.split('/').filter(Boolean) ?? [];
		const [first] = channels.values();
		const named = parts.length === 2 ? channels.get(parts[0] ?? '') : undefined;
		const channel = named ?? (parts.length === 1 ? first : undefined);
		if (parts.length === 0) {
			response.setHeader('content-type', 'text/html; charset=utf-8');
			response.end(page([...channels.keys()]));
			return;
		}
		if (!channel?.answer(parts.at(-1) ?? '', response)) response.writeHead(404).end('Not here.\n');
	};
	const server = createServer((request, response) => {
		try {
			answer(request, response);
		} catch {
			// What a stranger broadcasts must not end the program that serves other channels too.
			response.destroy();
		}
	});
	await listen(server, host, port);
	const bound = server.address();
	const taken = typeof bound === 'object' && bound ? bound.port : port;
	const shown = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
	return {
		url: `http://${shown}:${taken}`,
		close: () =>
			new Promise((resolve) => {
				server.close(() => resolve());
				server.closeAllConnections();
			}),
	};
}

function listen(server: Server, host: string, port: number): Promise<void> {
	return new Promise((resolve, reject) => {
		server.once('error', (cause: NodeJS.ErrnoException) => {
			const busy = cause.code === 'EADDRINUSE';
			const why = busy ? 'the port is in use; choose another with --http' : cause.message;
			reject(new CliError(EXIT.failed, `Can't serve on ${host}:${port}: ${why}`, { cause }));
		});
		server.listen(port, host, resolve);
	});
}

/** `8080` or `0.0.0.0:8080`. */
function parseAddress(text: string): { host: string; port: number } {
	const match = /^(?:(.+):)?(\d{1,5})$/.exec(text);
	const port = Number(match?.[2]);
	if (!match || port > 65535)
		throw new CliError(EXIT.usage, `--http takes PORT or HOST:PORT, not ${text}`);
	return { host: match[1]?.replace(/^\[|\]$/g, '') ?? '127.0.0.1', port };
}

function page(ids: readonly string[]): string {
	const players = ids
		.map(
			(id) =>
				`<p><a href="/${id}/live.m3u8">${id}</a></p><video controls autoplay muted src="/${id}/stream"></video>`,
		)
		.join('\n');
	return `<!doctype html><meta charset="utf-8"><title>Shoal</title>\n${players}\n`;
}

function fileName({ manifest }: ReceivedSegment): string {
	return `segment-${manifest.epoch}-${manifest.sequence}.m4s`;
}

function breaks(before: ReceivedSegment, after: ReceivedSegment): boolean {
	return (
		before.init !== after.init ||
		before.manifest.epoch !== after.manifest.epoch ||
		after.manifest.sequence !== before.manifest.sequence + 1 ||
		after.manifest.discontinuity
	);
}
