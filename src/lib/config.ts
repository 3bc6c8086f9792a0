import { ShoalError } from './model/error.ts';
import { fromUtf8, utf8 } from './util/bytes.ts';
import { readWhole } from './util/read-whole.ts';

/** What a site tells its pages at run time, so that one static build serves any site. */
export interface SiteConfig {
	/** WebSocket addresses of trackers, 1 to 16. */
	readonly trackers: readonly string[];
	/** STUN and TURN servers, at most 16; may be empty. */
	readonly iceServers: readonly RTCIceServer[];
}

/** Largest `/config.json` that is read, characters. */
export const MAX_CONFIG_CHARACTERS = 64 * 1024;
const MAX_ENTRIES = 16;
const MAX_URL_CHARACTERS = 512;
const MAX_CREDENTIAL_CHARACTERS = 1024;
const TIMEOUT_MS = 10_000;

/** Reads and checks a site's configuration; throws `bad-config`, naming the field at fault. */
export async function loadConfig(
	url = '/config.json',
	fetch: typeof globalThis.fetch = globalThis.fetch,
): Promise<SiteConfig> {
	let text: string;
	try {
		const response = await fetch(url, {
			cache: 'no-store',
			credentials: 'same-origin',
			signal: AbortSignal.timeout(TIMEOUT_MS),
		});
		if (!response.ok) throw new Error(`the server answered ${response.status}`);
		const bytes = response.body
			? await readWhole(response.body, MAX_CONFIG_CHARACTERS * 4)
			: utf8('');
		if (!bytes) throw bad('it', 'is too long');
		text = fromUtf8(bytes);
	} catch (cause) {
		if (cause instanceof ShoalError) throw cause;
		throw new ShoalError('bad-config', `${url} could not be read: ${String(cause)}`, { cause });
	}
	return parseConfig(text);
}

/** The configuration in a JSON text; unknown fields are ignored. Throws `bad-config`. */
export function parseConfig(text: string): SiteConfig {
	if (text.length > MAX_CONFIG_CHARACTERS) throw bad('it', 'is too long');
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch (cause) {
		throw new ShoalError('bad-config', 'the configuration is not JSON', { cause });
	}
	if (!isRecord(value)) throw bad('it', 'is not an object');
	const trackers = list(value.trackers, 'trackers').map((tracker, i) =>
		address(tracker, `trackers[${i}]`, /^wss?:$/),
	);
	if (trackers.length === 0) throw bad('trackers', 'is empty');
	const iceServers =
		value.iceServers === undefined
			? []
			: list(value.iceServers, 'iceServers').map((server, i) => iceServer(server, i));
	return { trackers, iceServers };
}

function iceServer(value: unknown, index: number): RTCIceServer {
	const field = `iceServers[${index}]`;
	if (!isRecord(value)) throw bad(field, 'is not an object');
	const given: unknown[] = Array.isArray(value.urls)
		? list(value.urls, `${field}.urls`)
		: [value.urls];
	const urls = given.map((url) => address(url, `${field}.urls`, /^(stun|turn)s?:$/));
	if (urls.length === 0) throw bad(`${field}.urls`, 'is empty');
	const server: RTCIceServer = { urls };
	if (value.username !== undefined) server.username = word(value.username, `${field}.username`);
	if (value.credential !== undefined) {
		server.credential = word(value.credential, `${field}.credential`);
	}
	return server;
}

function list(value: unknown, field: string): unknown[] {
	if (!Array.isArray(value)) throw bad(field, 'is not a list');
	if (value.length > MAX_ENTRIES) throw bad(field, `has more than ${MAX_ENTRIES} entries`);
	return value;
}

function address(value: unknown, field: string, scheme: RegExp): string {
	if (typeof value !== 'string' || value.length > MAX_URL_CHARACTERS) {
		throw bad(field, 'is not an address');
	}
	const url = URL.canParse(value) ? new URL(value) : undefined;
	if (!url || !scheme.test(url.protocol)) throw bad(field, 'is not an address of the right kind');
	return value;
}

function word(value: unknown, field: string): string {
	if (typeof value !== 'string' || value.length > MAX_CREDENTIAL_CHARACTERS) {
		throw bad(field, 'is not a text of bounded length');
	}
	return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function bad(field: string, why: string): ShoalError {
	return new ShoalError('bad-config', `the configuration is not usable: ${field} ${why}`);
}
