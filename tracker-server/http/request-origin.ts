import type { IncomingMessage } from 'node:http';

import { clientAddress } from '../core/address.ts';

/** Where a request was addressed to, as far as it can be trusted. */
export interface RequestOrigin {
	/** Host and port as the browser names them. */
	readonly host: string;
	/** Whether the browser's side is TLS. */
	readonly secure: boolean;
}

const hostPattern =
	/^(?:[a-z0-9_](?:[a-z0-9._-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;

/** The site a request came for; `fallbackHost` where its Host header is missing or malformed. */
export function requestOrigin(
	request: IncomingMessage,
	options: { trustedHops: number; fallbackHost: string },
): RequestOrigin {
	const { host } = request.headers;
	const valid = host !== undefined && hostPattern.test(host);
	const proto = request.headers['x-forwarded-proto'];
	const claimed = Array.isArray(proto) ? proto.join(',') : (proto ?? '');
	const forwarded = options.trustedHops > 0 ? claimed.split(',').at(-1)?.trim() : undefined;
	return { host: valid ? host : options.fallbackHost, secure: forwarded === 'https' };
}

/** The address a request came from, as far as it can be trusted. */
export function visitorAddress(request: IncomingMessage, trustedHops: number): string {
	const forwarded = request.headers['x-forwarded-for'];
	const claimed = Array.isArray(forwarded) ? forwarded.join(',') : forwarded;
	return clientAddress(request.socket.remoteAddress ?? '', claimed, trustedHops);
}

/** Host name without the port. */
export function hostName(host: string): string {
	return host.startsWith('[') ? host.slice(0, host.indexOf(']') + 1) : host.replace(/:\d*$/, '');
}
