import { createHmac } from 'node:crypto';
import { sameText } from './core/same-text.ts';
import type { ResumeProofs } from './core/resume.ts';

/** Proofs made with a secret: `since`, a dot, and the HMAC-SHA-256 (RFC 2104) that ties it to the name. */
export function resumeProofs(secret: Uint8Array): ResumeProofs {
	const issue = (infoHash: string, peerId: string, sinceMs: number) => {
		const since = sinceMs.toString(36);
		const mac = createHmac('sha256', secret).update(infoHash + peerId + since, 'latin1');
		return `${since}.${mac.digest('base64url')}`;
	};
	return {
		issue,
		since(infoHash, peerId, proof) {
			const sinceMs = parseInt(proof.split('.')[0] ?? '', 36);
			const isOurs =
				Number.isSafeInteger(sinceMs) && sameText(proof, issue(infoHash, peerId, sinceMs));
			return isOurs ? sinceMs : undefined;
		},
	};
}
