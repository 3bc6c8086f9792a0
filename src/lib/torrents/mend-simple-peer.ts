import type { PeerSignal } from '@thaunknown/simple-peer/lite.js';
import Peer from '@thaunknown/simple-peer/lite.js';
import { RTCPeerConnection } from 'webrtc-polyfill';

/** How long the offerer has to speak first. */
const OFFERER_FIRST_MS = 500;

let mended = false;
let keeper: RTCPeerConnection | undefined;

/**
 * Makes simple-peer fit for Node's WebRTC (libdatachannel); in browsers nothing changes. Works on private parts:
 * versions are pinned, and a test watches what it waits for.
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
