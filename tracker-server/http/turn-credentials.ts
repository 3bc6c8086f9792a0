import { createHmac, randomBytes } from 'node:crypto';

export interface TurnCredentials {
	readonly username: string;
	readonly credential: string;
}

/**
 * Short-lived TURN credentials in the form coturn's `use-auth-secret` checks
 * (draft-uberti-behave-turn-rest): the username is its own expiry, the password its HMAC.
 */
export function turnCredentials(secret: string, ttlS: number, nowMs: number): TurnCredentials {
	const username = `${Math.floor(nowMs / 1000) + ttlS}:${randomBytes(6).toString('hex')}`;
	return { username, credential: createHmac('sha1', secret).update(username).digest('base64') };
}
