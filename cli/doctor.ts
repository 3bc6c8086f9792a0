import { execFile } from 'node:child_process';
import { statfs } from 'node:fs/promises';
import type { Command } from 'commander';
import WebSocket from 'ws';
import type { SiteConfig } from '../src/lib/index.ts';
import { nodeWebRtc } from '../src/lib/node.ts';
import { CliError, EXIT } from './cli-error.ts';
import { networkReason } from './network-reason.ts';
import { Output, plain, showBytes, showCount } from './output.ts';
import type { OutputOptions } from './output.ts';
import type { SiteOptions } from './site.ts';
import { loadSite, siteOf, siteOptions } from './site.ts';

/** What a check found. */
interface Finding {
	readonly check: string;
	readonly state: 'ok' | 'note' | 'problem';
	readonly detail: string;
	/** What to do about it. */
	readonly remedy?: string;
}

const TIMEOUT_MS = 5_000;
const LEAST_FREE_BYTES = 1e9;

/** `shoal doctor`. */
export function addDoctor(program: Command): void {
	siteOptions(
		program
			.command('doctor')
			.description('check what streaming from this machine needs; one line each, with a remedy'),
	)
		.option('--json', 'say it in JSON, one object a line')
		.addHelpText(
			'after',
			`
Exit code 0 when all is well, 1 when something stands in the way.

Examples:
  $ shoal doctor
  $ shoal doctor --app https://shoal.example
  $ shoal doctor --tracker wss://tracker.example/announce --json`,
		)
		.action(async (options: SiteOptions & OutputOptions) => {
			const output = new Output(options);
			let problems = 0;
			const say = (finding: Finding) => {
				if (finding.state === 'problem') problems++;
				const mark = { ok: 'ok     ', note: 'note   ', problem: 'PROBLEM' }[finding.state];
				const remedy = finding.remedy ? ` — ${finding.remedy}` : '';
				output.result(`${mark}  ${finding.check}: ${plain(finding.detail)}${remedy}`, {
					type: 'check',
					...finding,
				});
			};
			say(nodeVersion());
			say(await disk());
			say(await webRtc());
			const config = await site(options, say);
			if (config) {
				const trackers = await Promise.all(config.trackers.map(tracker));
				trackers.forEach(say);
				say(await paths(config));
			}
			say(await clock(siteOf(options)));
			for (const finding of await Promise.all(PROGRAMS.map(findProgram))) say(finding);
			if (problems > 0) {
				throw new CliError(EXIT.failed, `${problems} ${problems === 1 ? 'problem' : 'problems'}`);
			}
		});
}

function nodeVersion(): Finding {
	const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
	const good = major > 20 || (major === 20 && minor >= 19);
	return {
		check: 'Node',
		state: good ? 'ok' : 'problem',
		detail: `${process.versions.node} on ${process.platform}-${process.arch}`,
		...(!good && { remedy: 'install Node 20.19 or newer' }),
	};
}

async function disk(): Promise<Finding> {
	const { bavail, bsize } = await statfs('.');
	const free = bavail * bsize;
	return {
		check: 'Disk',
		state: free < LEAST_FREE_BYTES ? 'problem' : 'ok',
		detail: `${showBytes(free)} free here`,
		...(free < LEAST_FREE_BYTES && { remedy: 'make room before recording or fetching' }),
	};
}

/** Two connections of this very process must find each other. */
async function webRtc(): Promise<Finding> {
	const started = performance.now();
	try {
		await withConnections(2, async ([one, other]) => {
			if (!one || !other) return;
			const channel = one.createDataChannel('doctor');
			const open = new Promise((resolve) => (channel.onopen = resolve));
			await one.setLocalDescription(await one.createOffer());
			await gathered(one);
			if (one.localDescription) await other.setRemoteDescription(one.localDescription);
			await other.setLocalDescription(await other.createAnswer());
			await gathered(other);
			if (other.localDescription) await one.setRemoteDescription(other.localDescription);
			await within(open, 'no connection within 5 s');
		});
		const ms = Math.round(performance.now() - started);
		return { check: 'WebRTC', state: 'ok', detail: `two peers of this machine met in ${ms} ms` };
	} catch (error) {
		return {
			check: 'WebRTC',
			state: 'problem',
			detail: reason(error),
			remedy: 'allow UDP on this machine; reinstall if the native module is missing',
		};
	}
}

async function site(
	options: SiteOptions,
	say: (finding: Finding) => void,
): Promise<SiteConfig | undefined> {
	try {
		const config = await loadSite(options);
		const count = `${showCount(config.trackers.length, 'tracker')}, ${showCount(config.iceServers.length, 'ICE server')}`;
		say({ check: 'Site', state: 'ok', detail: `${siteOf(options)} names ${count}` });
		return config;
	} catch (error) {
		say({
			check: 'Site',
			state: 'problem',
			detail: reason(error),
			remedy: 'start one with "shoal tracker", or name one with --app or --tracker',
		});
		return undefined;
	}
}

async function tracker(url: string): Promise<Finding> {
	const check = 'Tracker';
	if (!/^wss?:/.test(url)) {
		return { check, state: 'note', detail: `${url} is for plain torrents; browsers can't use it` };
	}
	const started = performance.now();
	try {
		await announceOnce(url);
		const ms = Math.round(performance.now() - started);
		return { check, state: 'ok', detail: `${url} answered in ${ms} ms` };
	} catch (error) {
		return {
			check,
			state: 'problem',
			detail: `${url}: ${networkReason(error)}`,
			remedy: 'check the address, the firewall, and that a proxy in front lets WebSockets through',
		};
	}
}

async function announceOnce(url: string): Promise<void> {
	const socket = new WebSocket(url, { handshakeTimeout: TIMEOUT_MS });
	const random = () => Buffer.from(crypto.getRandomValues(new Uint8Array(20))).toString('latin1');
	try {
		await within(
			new Promise<void>((resolve, reject) => {
				socket.on('error', reject);
				socket.on('open', () => {
					const announce = { action: 'announce', event: 'started', left: 1, numwant: 0 };
					socket.send(JSON.stringify({ ...announce, info_hash: random(), peer_id: random() }));
				});
				socket.on('message', (data) => {
					const answer = JSON.parse((data as Buffer).toString()) as { 'failure reason'?: string };
					const refusal = answer['failure reason'];
					if (refusal) reject(new Error(refusal));
					else resolve();
				});
				socket.on('close', () => reject(new Error('it hung up')));
			}),
			'no answer within 5 s',
		);
	} finally {
		socket.on('error', () => undefined);
		socket.terminate();
	}
}

/** Which ways in and out there are, by what STUN and TURN servers say. */
async function paths({ iceServers }: SiteConfig): Promise<Finding> {
	const check = 'Network';
	if (iceServers.length === 0) {
		return {
			check,
			state: 'note',
			detail: 'the site names no STUN or TURN server, so only peers nearby can be reached',
			remedy: 'for the open net: shoal tracker --ice stun:…, and TURN for strict firewalls',
		};
	}
	const found = { host: 0, srflx: new Set<string>(), relay: 0 };
	await withConnections(
		1,
		async ([connection]) => {
			if (!connection) return;
			connection.onicecandidate = ({ candidate }) => {
				const [, , , , address, port, , type] = candidate?.candidate.split(' ') ?? [];
				if (type === 'host') found.host++;
				if (type === 'relay') found.relay++;
				if (type === 'srflx') found.srflx.add(`${address}:${port}`);
			};
			connection.createDataChannel('doctor');
			await connection.setLocalDescription(await connection.createOffer());
			await gathered(connection);
		},
		iceServers,
	);
	const turn = iceServers.some(({ urls }) => [urls].flat().some((url) => url.startsWith('turn')));
	if (turn && found.relay === 0) {
		const remedy = 'check its name, secret and clock, and that its port is open';
		return { check, state: 'problem', detail: 'the TURN server gives no relay', remedy };
	}
	if (found.srflx.size === 0 && found.relay === 0) {
		const remedy = 'allow UDP to the STUN server, or add a TURN server on TCP 443';
		return { check, state: 'problem', detail: 'no STUN server answers', remedy };
	}
	// One socket seen under two addresses: the NAT gives each peer another port.
	const strict = found.srflx.size > 1;
	return {
		check,
		state: strict && found.relay === 0 ? 'note' : 'ok',
		detail: `${strict ? 'a strict NAT (a port for each peer)' : 'peers can reach this machine'}; ${found.relay} relays`,
		...(strict &&
			found.relay === 0 && { remedy: 'add a TURN server for viewers behind such a NAT' }),
	};
}

/** Signed times are compared with viewers' clocks. */
async function clock(origin: string): Promise<Finding> {
	const check = 'Clock';
	try {
		const response = await fetch(`${origin}/config.json`, {
			signal: AbortSignal.timeout(TIMEOUT_MS),
		});
		const date = Date.parse(response.headers.get('date') ?? '');
		if (Number.isNaN(date)) throw new Error('the site tells no time');
		const offS = Math.round((Date.now() - date) / 1000);
		const off = Math.abs(offS) > 30;
		return {
			check,
			state: off ? 'problem' : 'ok',
			detail: off ? `${Math.abs(offS)} s off against the site` : 'agrees with the site',
			...(off && { remedy: 'switch on time synchronisation (NTP)' }),
		};
	} catch {
		return { check, state: 'note', detail: 'nothing to compare with' };
	}
}

const PROGRAMS = [
	{ name: 'ffmpeg', args: ['-version'], use: 'turn any source into one that "shoal seed" takes' },
	{ name: 'mpv', args: ['--version'], use: '"shoal watch --mpv"' },
	{ name: 'vlc', args: ['--version'], use: '"shoal watch --vlc"' },
];

async function findProgram({ name, args, use }: (typeof PROGRAMS)[number]): Promise<Finding> {
	const found = await new Promise<string | undefined>((resolve) => {
		execFile(name, args, { timeout: TIMEOUT_MS }, (error, stdout) => {
			resolve(error ? undefined : (stdout.split('\n', 1)[0] ?? ''));
		});
	});
	if (found !== undefined) return { check: name, state: 'ok', detail: found.slice(0, 60) };
	return { check: name, state: 'note', detail: 'not installed', remedy: `needed only to ${use}` };
}

async function withConnections(
	count: number,
	use: (connections: RTCPeerConnection[]) => Promise<void>,
	iceServers: readonly RTCIceServer[] = [],
): Promise<void> {
	const connections = Array.from(
		{ length: count },
		() => new nodeWebRtc({ iceServers: [...iceServers] }),
	);
	try {
		await use(connections);
	} finally {
		for (const connection of connections) connection.close();
	}
}

function gathered(connection: RTCPeerConnection): Promise<void> {
	return within(
		new Promise<void>((resolve) => {
			const look = () => {
				if (connection.iceGatheringState === 'complete') resolve();
			};
			connection.onicegatheringstatechange = look;
			look();
		}),
		'gathering paths took longer than 5 s',
	).catch(() => undefined);
}

async function within<T>(promise: Promise<T>, otherwise: string): Promise<T> {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<never>((_, reject) => {
		timer = setTimeout(() => reject(new Error(otherwise)), TIMEOUT_MS);
	});
	return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function reason(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
