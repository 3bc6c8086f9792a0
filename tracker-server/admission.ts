import { hexOfId } from './core/binary-id.ts';
import type { Grant } from './core/connection.ts';
import type { TokenVerifier } from './join-token.ts';

export interface AdmissionOptions {
	/** Torrents served, 40 hex digits each; empty serves all. */
	readonly allow: readonly string[];
	readonly verify: TokenVerifier | undefined;
	/** Whether nobody gets in without a token, or tokens only grant roles. */
	readonly tokens: 'required' | 'roles';
}

/** Who may announce what. */
export interface Admission {
	/** Whether a token opens the door; undefined where none is needed. */
	readonly door: ((token: string | undefined, nowMs: number) => boolean) | undefined;
	/** What a peer may do in a swarm; undefined refuses. */
	grant(infoHash: string, token: string | undefined, nowMs: number): Grant | undefined;
}

/** Makes the two checks from an allow-list and a token verifier, either of which may be absent. */
export function admission({ allow, verify, tokens }: AdmissionOptions): Admission {
	const allowed = new Set(allow.map((hash) => hash.toLowerCase()));
	const required = verify !== undefined && tokens === 'required';
	return {
		// A token may also come with the announce, so a missing one is judged there.
		door: required
			? (token, nowMs) => token === undefined || verify(token, nowMs) !== undefined
			: undefined,
		grant(infoHash, token, nowMs) {
			const hash = hexOfId(infoHash);
			if (allowed.size > 0 && !allowed.has(hash)) return undefined;
			const claims = verify?.(token, nowMs);
			const fits = claims && (claims.ih === '*' || claims.ih.toLowerCase() === hash);
			if (!fits) return required ? undefined : { role: undefined };
			return { role: claims.role === 'viewer' ? undefined : claims.role };
		},
	};
}
