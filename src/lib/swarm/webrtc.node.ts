import { RTCPeerConnection as NativePeerConnection } from 'node-datachannel/polyfill';

/** How long the offerer has to speak first. */
const OFFERER_FIRST_MS = 500;

/**
 * Node's RTCPeerConnection (libdatachannel) with two of its races kept from happening. When it answers, it checks paths before
 * the offerer has the answer. Then either its DTLS greeting arrives too early, is lost, and repeated only after a second; or the
 * offerer's path is ready before it has noted whose certificate to expect, and it takes a good one for a bad. So the offerer's
 * candidates are held back: it speaks first and its own checks show where it is. Where they can't get through, ours follow.
 */
class NodePeerConnection extends NativePeerConnection {
	#timer: NodeJS.Timeout | undefined;

	override async setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
		const { type, sdp = '' } = description;
		if (type !== 'offer') return super.setRemoteDescription({ type, sdp });
		const lines = sdp.split('\r\n');
		const isCandidate = (line: string) => line.startsWith('a=candidate:');
		const rest = lines.filter((line) => !isCandidate(line) && line !== 'a=end-of-candidates');
		await super.setRemoteDescription({ type, sdp: rest.join('\r\n') });
		const candidates = lines.filter(isCandidate);
		const mid = lines.find((line) => line.startsWith('a=mid:'))?.slice('a=mid:'.length) ?? '0';
		this.#timer = setTimeout(() => void this.#addCandidates(candidates, mid), OFFERER_FIRST_MS);
		this.#timer.unref();
	}

	override close(): void {
		clearTimeout(this.#timer);
		super.close();
	}

	async #addCandidates(lines: readonly string[], sdpMid: string): Promise<void> {
		if (!['new', 'connecting'].includes(this.connectionState)) return;
		for (const line of lines) {
			try {
				await this.addIceCandidate({ candidate: line.slice('a='.length), sdpMid });
			} catch {
				return; // it ended meanwhile
			}
		}
	}
}

/** Node's RTCPeerConnection under the browser's type: what `Swarm` takes as `webrtc`. Data channels only. */
export const nodeWebRtc = NodePeerConnection as unknown as typeof RTCPeerConnection;
