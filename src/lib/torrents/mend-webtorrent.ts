import type { PeerSignal } from '@thaunknown/simple-peer/lite.js';
import Peer from '@thaunknown/simple-peer/lite.js';
import { RTCPeerConnection } from 'webrtc-polyfill';
import type { Torrent, Tracker, Wire } from 'webtorrent';

/** Longest message a peer may claim: the bitfield of eight million pieces. */
const MAX_MESSAGE_BYTES = 1024 * 1024;
const RECONNECT_FIRST_MS = 3_000;
const RECONNECT_MOST_MS = 60_000;

/** A torrent that knows of others and has no link to any asks again this often. */
const LONELY_MS = 10_000;

/** How long the offerer has to speak first. */
const OFFERER_FIRST_MS = 500;

let mended = false;
let keeper: RTCPeerConnection | undefined;

/**
 * Makes simple-peer fit for Node's WebRTC (libdatachannel); in browsers nothing changes. Works on private parts:
 * versions are pinned, and a test watches the time.
 *
 * - The null candidate that simple-peer waits for never comes, which would cost every offer and answer 5 s.
 * - An offer's candidates are held back for a moment. With them the answerer checks paths before the offerer has
 *   the answer, and then either its DTLS greeting is lost and repeated only after a second, or the offerer's path is
 *   ready before it has noted whose certificate to expect and refuses the right one.
 * - One connection stays for good: when the last one closes, the package takes the whole library down, and with it
 *   those that are being made.
 */
export function mendSimplePeer(): void {
	if (mended || !inNode()) return;
	mended = true;
	keeper ??= new RTCPeerConnection();
	const onIceStateChange = Peer.prototype._onIceStateChange;
	Peer.prototype._onIceStateChange = function (this: Peer) {
		onIceStateChange.call(this);
		if (this._iceComplete || this._pc?.iceGatheringState !== 'complete') return;
		this._iceComplete = true;
		this.emit('_iceComplete');
	};
	const signal = Peer.prototype.signal;
	Peer.prototype.signal = function (this: Peer, data: PeerSignal) {
		if (data.type !== 'offer' || !data.sdp) {
			signal.call(this, data);
			return;
		}
		const lines = data.sdp.split('\r\n');
		const rest = lines.filter((line) => !/^a=(candidate:|end-of-candidates)/.test(line));
		signal.call(this, { ...data, sdp: rest.join('\r\n') });
		const sdpMid = /^a=mid:(.*)$/m.exec(data.sdp)?.[1]?.trim() ?? '0';
		const timer = setTimeout(() => {
			if (this.destroyed || this.connected) return;
			for (const line of lines.filter((text) => text.startsWith('a=candidate:'))) {
				this._pc?.addIceCandidate({ candidate: line.slice(2), sdpMid }).catch(() => undefined);
			}
		}, OFFERER_FIRST_MS);
		(timer as { unref?: () => void }).unref?.();
	};
}

function inNode(): boolean {
	const { process } = globalThis as { process?: { versions?: { node?: string } } };
	return process?.versions?.node !== undefined;
}

/** Ends a wire whose peer claims a message beyond all sense, before any of it is buffered. */
export function boundMessages(wire: Wire): void {
	const parse = wire._parse.bind(wire);
	wire._parse = (size, parser) => {
		if (size > MAX_MESSAGE_BYTES && size !== Number.MAX_VALUE) wire.destroy();
		else parse(size, parser);
	};
}

/**
 * Brings a lost tracker back within seconds, where webtorrent takes up to five minutes, and asks again when a
 * torrent is alone though others are there: a connection may fail, and the next announce is a minute away.
 * Call `tick` now and then and `stop` before the torrent is destroyed.
 */
export class TrackerNudge {
	readonly #torrent: Torrent;
	readonly #downSince = new Map<Tracker, { sinceMs: number; tries: number }>();
	#lonelySinceMs: number | undefined;

	constructor(torrent: Torrent) {
		this.#torrent = torrent;
	}

	/** Reopens trackers that have been down long enough; `others` is how many peers the trackers know of. */
	tick(nowMs: number, others: number): void {
		this.#reopen(nowMs);
		if (others < 1 || this.#torrent.wires.length > 0) {
			this.#lonelySinceMs = undefined;
			return;
		}
		this.#lonelySinceMs ??= nowMs;
		if (nowMs - this.#lonelySinceMs < LONELY_MS) return;
		this.#lonelySinceMs = nowMs;
		this.#torrent.discovery?.tracker?.update();
	}

	/** Stops reconnect timers: they would open sockets, and announce, after the torrent is gone. */
	stop(): void {
		for (const tracker of this.#torrent.discovery?.tracker?._trackers ?? []) {
			clearTimeout(tracker.reconnectTimer ?? undefined);
			tracker._openSocket = () => undefined;
		}
	}

	#reopen(nowMs: number): void {
		for (const tracker of this.#torrent.discovery?.tracker?._trackers ?? []) {
			if (!tracker.reconnecting || !tracker._openSocket) {
				this.#downSince.delete(tracker);
				continue;
			}
			let down = this.#downSince.get(tracker);
			if (!down) this.#downSince.set(tracker, (down = { sinceMs: nowMs, tries: 0 }));
			// The wait doubles each time.
			const waitMs = Math.min(RECONNECT_FIRST_MS * 2 ** down.tries, RECONNECT_MOST_MS);
			if (nowMs - down.sinceMs < waitMs) continue;
			down.sinceMs = nowMs;
			down.tries++;
			if (!tracker.destroyed) continue; // a socket is on its way
			clearTimeout(tracker.reconnectTimer ?? undefined);
			tracker._openSocket();
		}
	}
}
