import { createHmac } from 'node:crypto';

export interface TurnCredentials {
	readonly username: string;
	readonly credential: string;
}

/**
 * Short-lived TURN credentials in the form coturn's `use-auth-secret` checks
 * (draft-uberti-behave-turn-rest): the username is its own expiry and a name, the password its HMAC. coturn's quota counts by the
 * name: it is the same for everybody of one address, whom it doesn't tell, or whoever asks often would have many shares.
 */
export function turnCredentials(
	secret: string,
	visitor: { addressKey: string; ttlS: number },
	nowMs: number,
): TurnCredentials {
	const name = createHmac('sha256', secret).update(visitor.addressKey).digest('hex').slice(0, 12);
	const username = `${Math.floor(nowMs / 1000) + visitor.ttlS}:${name}`;
	return { username, credential: createHmac('sha1', secret).update(username).digest('base64') };
}
