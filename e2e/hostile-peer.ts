import { createHash, webcrypto } from 'node:crypto';
import {
	decodeManifest,
	encodeManifest,
	pieceBytes,
	pieceCount,
} from '../src/lib/model/manifest.ts';
import type { Manifest } from '../src/lib/model/manifest.ts';
import { applyManifestChanges, type SignedManifest } from '../src/lib/model/manifest-delta.ts';
import { infoHashInput, parseChannel } from '../src/lib/model/channel.ts';
import type { Link } from '../src/lib/model/link.ts';
import type { Message } from '../src/lib/model/message.ts';
import { signedBytes } from '../src/lib/sign/manifest-signer.ts';
import { nodeSwarm } from '../src/lib/testing/node-swarm.ts';
import { createWire } from '../src/lib/wire/wire.ts';

/** What a hostile peer does to everyone it meets. */
export type Mischief =
	/** Sends a manifest from the future, which nobody signed. */
	| 'forged manifest'
	/** Claims to hold every piece and sends noise for each. */
	| 'bad piece'
	/** Announces a message of two gigabytes. */
	| 'over-long message';

/** A peer of the channel in Node: real tracker, real WebRTC, real wire, ill will. */
export interface HostilePeer {
	/** Peers it has met. */
	readonly met: number;
	/** Peers it has done its mischief to. */
	readonly wronged: number;
	/** Of these, the ones that have cut the connection. */
	readonly dropped: number;
	close(): Promise<void>;
}

/** Joins the channel of a peer link through the site's tracker. */
export async function joinHostile(link: string, mischief: Mischief): Promise<HostilePeer> {
	const { host } = new URL(link);
	const digest = await webcrypto.subtle.digest('SHA-256', infoHashInput(parseChannel(link)));
	/** What the next message is sent as. */
	let raw: Uint8Array | undefined;
	const swarm = nodeSwarm({
		infoHash: new Uint8Array(digest).slice(0, 20),
		trackers: [`ws://${host}/announce`],
		wire: (options) => {
			const wire = createWire(options);
			const { encode } = wire;
			wire.encode = (message) => {
				const bytes = raw ?? encode(message);
				raw = undefined;
				return bytes;
			};
			return wire;
		},
	});
	const wronged = new Set<Link>();
	const dropped = new Set<Link>();
	let met = 0;
	swarm.on('link', (link) => {
		met++;
		link.onClose = () => {
			if (wronged.has(link)) dropped.add(link);
		};
		const send = (message: Message) => {
			link.send(message);
		};
		const wrong = () => wronged.add(link);
		const sendRaw = (bytes: Uint8Array) => {
			raw = bytes;
			link.send({ type: 'bye' });
		};
		link.onMessage = misbehave(mischief, { send, sendRaw, wrong });
		const instance = webcrypto.getRandomValues(new Uint8Array(16));
		send({ type: 'hello', role: 'viewer', uplinkBps: 100_000_000, instance });
		send({ type: 'want-manifest', piece: undefined, before: 0 });
	});
	swarm.open();
	swarm.wantLinks(8);
	return {
		get met() {
			return met;
		},
		get wronged() {
			return wronged.size;
		},
		get dropped() {
			return dropped.size;
		},
		close: () => swarm.close(),
	};
}

interface Means {
	send(message: Message): void;
	sendRaw(bytes: Uint8Array): void;
	/** Notes that the other side now has cause to leave. */
	wrong(): void;
}

/** What to do with each message that comes in. */
function misbehave(mischief: Mischief, means: Means): (message: Message) => void {
	switch (mischief) {
		case 'forged manifest':
			return (message) => {
				if (message.type !== 'manifest') return;
				const manifest = decodeManifest(message.dict);
				const dict = encodeManifest({
					...manifest,
					sequence: manifest.sequence + 1000,
					firstPiece: manifest.firstPiece + 100_000,
				});
				means.send({ type: 'manifest', signature: message.signature, dict });
				means.wrong();
			};
		case 'bad piece':
			return sendNoise(means);
		case 'over-long message': {
			let done = false;
			return () => {
				if (done) return;
				done = true;
				means.sendRaw(Uint8Array.of(0x7f, 0xff, 0xff, 0xff, 7, 0, 0, 0));
				means.wrong();
			};
		}
	}
}

function sendNoise({ send, wrong }: Means): (message: Message) => void {
	/** Manifests heard of, by first piece. */
	const heard = new Map<number, SignedManifest>();
	let isParent = false;
	const block = (index: number, begin: number, length: number) => {
		send({ type: 'piece', index, begin, block: new Uint8Array(length).fill(0x66) });
		wrong();
	};
	const sendAll = (manifest: Manifest) => {
		for (let i = 0; i < pieceCount(manifest); i++)
			block(manifest.firstPiece + i, 0, Math.min(16_384, pieceBytes(manifest, i)));
	};
	return (message) => {
		// It poses as the best neighbour there is, next to the broadcaster and with all the room in the world.
		if (message.type === 'hello' || message.type === 'ping') {
			const nonce = message.type === 'ping' ? message.nonce : 1;
			if (message.type === 'ping') send({ type: 'pong', nonce });
			const figures = { hop: 1, spareKbps: 900_000, uplinkKbps: 900_000, behindMs: 100, links: 3 };
			const standing = { depths: new Uint8Array(8).fill(1), branches: new Uint8Array(8).fill(255) };
			send({ type: 'ping', nonce, ...figures, ...standing });
		}
		if (message.type === 'request') block(message.index, message.begin, message.length);
		if (message.type === 'subscribe') {
			send({ type: 'subscribed', substreams: message.substreams, asked: message.substreams });
			isParent = true;
			for (const { manifest } of [...heard.values()].slice(-1)) sendAll(manifest);
		}
		const signed = manifestIn(message, heard);
		if (!signed) return;
		const { manifest } = signed;
		heard.set(manifest.firstPiece, signed);
		const bits = new Uint8Array(Math.ceil(pieceCount(manifest) / 8)).fill(0xff);
		send({ type: 'have', first: manifest.firstPiece, bits });
		// Noise that comes behind the true piece is not even looked at: as a parent it goes on with every segment, so that
		// some comes in front. Whoever leaves it as a parent gets what nobody asked for.
		if (isParent) sendAll(manifest);
	};
}

/** The manifest that a message tells of, whole or as a difference to one that was heard of. */
function manifestIn(
	message: Message,
	heard: ReadonlyMap<number, SignedManifest>,
): SignedManifest | undefined {
	let dict: Uint8Array;
	if (message.type === 'manifest') dict = message.dict;
	else if (message.type === 'manifest-delta') {
		const base = heard.get(message.baseFirstPiece);
		if (!base) return undefined;
		dict = applyManifestChanges(base, message.changes);
	} else return undefined;
	const sha256 = createHash('sha256').update(signedBytes(dict)).digest();
	return { manifest: decodeManifest(dict), dict, signature: message.signature, sha256 };
}
