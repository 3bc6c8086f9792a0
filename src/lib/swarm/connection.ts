import { ShoalError } from '../model/error.ts';
import type { Fingerprints } from '../model/link.ts';
import type { Clock } from '../util/clock.ts';
import {
	CONNECT_DEADLINE_MS,
	LAST_WORDS_MS,
	LINGER_MS,
	LINGER_STEP_MS,
	LOW_WATER_BYTES,
	MESSAGE_BYTES,
	MAX_BUFFERED_BYTES,
} from './bounds.ts';
import { whenGathered } from './gathering.ts';
import { fingerprintOf } from './session-description.ts';

/** Most data channels that the other side may open beyond the one; each is closed at once. */
const MAX_STRAY_CHANNELS = 4;

/** Why a connection ended without our doing. */
export type ConnectionEnd =
	/** No path was found in time. */
	| 'unreachable'
	/** It was open and broke, or the other side closed it. */
	| 'gone'
	/** The other side does with the connection what no peer does. */
	| 'protocol';

/** What a connection is made of. */
export interface ConnectionOptions {
	/** The browser's RTCPeerConnection, or one that behaves like it. */
	readonly webrtc: typeof RTCPeerConnection;
	readonly iceServers: readonly RTCIceServer[];
	readonly iceTransportPolicy: RTCIceTransportPolicy;
	readonly clock: Clock;
}

/**
 * One RTCPeerConnection with one ordered, reliable data channel. Descriptions go out whole, candidates included, as stock
 * WebTorrent peers expect. Errors of the browser's never leave it: they end the connection.
 */
export class Connection {
	readonly #peer: RTCPeerConnection;
	readonly #clock: Clock;
	readonly #iceServers: readonly RTCIceServer[];
	#channel: RTCDataChannel | undefined;
	#state: 'negotiating' | 'open' | 'closed' = 'negotiating';
	#strayChannels = 0;
	#cancelDeadline: () => void = () => undefined;
	#stopGathering: () => void = () => undefined;
	#giveUp: (error: ShoalError) => void = () => undefined;

	/** The data channel is open. */
	onOpen: () => void = () => undefined;
	/** A data-channel message came in; the bytes are the receiver's. */
	onBytes: (bytes: Uint8Array) => void = () => undefined;
	/** `bufferedBytes` fell to `LOW_WATER_BYTES`. */
	onDrain: () => void = () => undefined;
	/** It ended without our doing; nothing is called after it but `onReleased`. */
	onEnd: (why: ConnectionEnd) => void = () => undefined;
	/** The RTCPeerConnection is closed and no longer counts. */
	onReleased: () => void = () => undefined;

	/** Throws what the browser throws when it has no RTCPeerConnection to give. */
	constructor({ webrtc, iceServers, iceTransportPolicy, clock }: ConnectionOptions) {
		this.#clock = clock;
		this.#iceServers = iceServers;
		this.#peer = new webrtc({
			// A copy: some implementations write into what they are given.
			iceServers: structuredClone([...iceServers]),
			iceTransportPolicy,
		});
		this.#peer.ondatachannel = ({ channel }) => this.#takeChannel(channel);
		this.#peer.onconnectionstatechange = () => this.#checkState();
		this.#peer.oniceconnectionstatechange = () => this.#checkState();
	}

	/** Bytes given to `send` that have not left this machine. */
	get bufferedBytes(): number {
		return this.#state === 'open' ? (this.#channel?.bufferedAmount ?? 0) : 0;
	}

	/** Certificates of both ends, once both descriptions are here. */
	get fingerprints(): Fingerprints | undefined {
		const ours = fingerprintOf(this.#peer.localDescription?.sdp ?? '');
		const theirs = fingerprintOf(this.#peer.remoteDescription?.sdp ?? '');
		return ours && theirs && { ours, theirs };
	}

	/** Makes the offer. Rejects with `closed` when it ends before. */
	async offer(): Promise<string> {
		const gathered = this.#gather();
		try {
			this.#attach(this.#peer.createDataChannel('shoal', { ordered: true }));
			await this.#peer.setLocalDescription(await this.#peer.createOffer());
			await gathered;
			return this.#localDescription();
		} catch (error) {
			throw this.#failed(error);
		}
	}

	/** Makes the answer to an offer and starts to connect. Rejects with `closed` when it ends before. */
	async answer(sdp: string): Promise<string> {
		const gathered = this.#gather();
		try {
			await this.#peer.setRemoteDescription({ type: 'offer', sdp });
			await this.#peer.setLocalDescription(await this.#peer.createAnswer());
			await gathered;
			const answer = this.#localDescription();
			this.#startDeadline();
			return answer;
		} catch (error) {
			throw this.#failed(error);
		}
	}

	/** Takes the answer to our offer and starts to connect. */
	accept(sdp: string): void {
		if (this.#state !== 'negotiating') return;
		this.#startDeadline();
		const failed = (error: unknown) => void this.#failed(error);
		try {
			this.#peer.setRemoteDescription({ type: 'answer', sdp }).catch(failed);
		} catch (error) {
			failed(error);
		}
	}

	/** Sends bytes, in as many data-channel messages as they need; dropped unless open. They must not be changed after. */
	send(bytes: Uint8Array): void {
		if (this.#state !== 'open' || !this.#channel) return;
		try {
			for (let at = 0; at < bytes.length; at += MESSAGE_BYTES) {
				const part = bytes.subarray(at, at + MESSAGE_BYTES);
				this.#channel.send(part as Uint8Array<ArrayBuffer>);
			}
			if (this.#channel.bufferedAmount > MAX_BUFFERED_BYTES) this.#end('gone');
		} catch {
			this.#end('gone'); // its queue is full, or it is closing
		}
	}

	/**
	 * Closes it; idempotent, and `onEnd` is not called. Nothing comes in after. With `deliver`, what was sent before still goes
	 * out, for at most `LINGER_MS`.
	 */
	close({ deliver }: { readonly deliver: boolean }): void {
		if (this.#state === 'closed') return;
		const channel = this.#state === 'open' ? this.#channel : undefined;
		this.#state = 'closed';
		this.#cancelDeadline();
		this.#stopGathering();
		this.#giveUp(new ShoalError('closed', 'the connection is closed'));
		this.#peer.ondatachannel = null;
		this.#peer.onconnectionstatechange = null;
		this.#peer.oniceconnectionstatechange = null;
		if (this.#channel) {
			this.#channel.onopen = null;
			this.#channel.onmessage = null;
			this.#channel.onbufferedamountlow = null;
			this.#channel.onclose = null;
		}
		if (deliver && channel?.readyState === 'open') this.#linger(channel, this.#clock.now());
		else this.#release();
	}

	/** Waits until everything is handed to the network, and a little longer for it to get there. */
	#linger(channel: RTCDataChannel, sinceMs: number): void {
		const isOver = this.#clock.now() - sinceMs >= LINGER_MS;
		if (channel.bufferedAmount > 0 && channel.readyState === 'open' && !isOver) {
			this.#clock.after(LINGER_STEP_MS, () => this.#linger(channel, sinceMs));
			return;
		}
		this.#clock.after(LAST_WORDS_MS, () => this.#release());
	}

	#release(): void {
		try {
			this.#peer.close();
		} catch {
			// already gone
		}
		this.onReleased();
	}

	#end(why: ConnectionEnd): void {
		if (this.#state === 'closed') return;
		this.close({ deliver: false });
		this.onEnd(why);
	}

	#failed(error: unknown): ShoalError {
		this.#end('unreachable');
		return error instanceof ShoalError
			? error
			: new ShoalError('closed', 'the connection failed', { cause: error });
	}

	#gather(): Promise<void> {
		const gathered = new Promise<void>((resolve, reject) => {
			this.#giveUp = reject;
			this.#stopGathering = whenGathered(this.#peer, this.#clock, this.#iceServers, resolve);
		});
		gathered.catch(() => undefined); // it may reject before anyone waits for it
		return gathered;
	}

	#localDescription(): string {
		if (this.#state === 'closed') throw new ShoalError('closed', 'the connection is closed');
		return this.#peer.localDescription?.sdp ?? '';
	}

	#startDeadline(): void {
		if (this.#state !== 'negotiating') return;
		this.#cancelDeadline();
		this.#cancelDeadline = this.#clock.after(CONNECT_DEADLINE_MS, () => this.#end('unreachable'));
	}

	#checkState(): void {
		const { connectionState, iceConnectionState } = this.#peer;
		if (connectionState === 'failed' || iceConnectionState === 'failed') {
			this.#end(this.#state === 'open' ? 'gone' : 'unreachable');
		} else if (connectionState === 'closed') {
			this.#end('gone');
		}
		// 'disconnected' may pass; the engine's own pings know sooner.
	}

	#takeChannel(channel: RTCDataChannel): void {
		if (!this.#channel) return this.#attach(channel);
		channel.close();
		if (++this.#strayChannels > MAX_STRAY_CHANNELS) this.#end('protocol');
	}

	#attach(channel: RTCDataChannel): void {
		this.#channel = channel;
		channel.binaryType = 'arraybuffer';
		channel.bufferedAmountLowThreshold = LOW_WATER_BYTES;
		channel.onopen = () => this.#opened();
		channel.onclose = () => this.#end('gone');
		channel.onerror = () => undefined; // close follows
		channel.onbufferedamountlow = () => this.onDrain();
		channel.onmessage = ({ data }: MessageEvent<unknown>) => {
			this.#opened();
			if (data instanceof ArrayBuffer) this.onBytes(new Uint8Array(data));
			else this.#end('protocol');
		};
		if (channel.readyState === 'open') this.#opened();
	}

	#opened(): void {
		if (this.#state !== 'negotiating') return;
		this.#state = 'open';
		this.#cancelDeadline();
		this.onOpen();
	}
}
