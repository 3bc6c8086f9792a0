import { isLoopbackHost } from '../core/address.ts';
import { announcePath } from '../socket/sockets.ts';
import { hostName } from './request-origin.ts';
import type { RequestOrigin } from './request-origin.ts';
import { turnCredentials } from './turn-credentials.ts';

/** One entry of an RTCConfiguration's `iceServers`. */
export interface IceServer {
	readonly urls: string | readonly string[];
	readonly username?: string | undefined;
	readonly credential?: string | undefined;
}

/** What `/config.json` says. */
export interface SiteConfig {
	readonly trackers: readonly string[];
	readonly iceServers: readonly IceServer[];
}

export interface SiteOptions {
	/** Announce URLs; empty for this very server. */
	readonly trackers: readonly string[];
	readonly iceServers: readonly IceServer[];
	readonly turn: { urls: readonly string[]; secret: string; ttlS: number } | undefined;
	/** Port of the built-in STUN responder; undefined where it is off or could not be opened. */
	readonly stunPort: number | undefined;
}

/** Trackers and ICE servers for one visitor, from the address the visitor used and the one it came from. */
export function siteConfig(
	origin: RequestOrigin,
	addressKey: string,
	options: SiteOptions,
	nowMs: number,
): SiteConfig {
	const { trackers, turn } = options;
	const own = `${origin.secure ? 'wss' : 'ws'}://${origin.host}${announcePath}`;
	const iceServers = [...options.iceServers];
	const name = hostName(origin.host);
	const needsStun = iceServers.length === 0 && options.stunPort !== undefined;
	// Where both ends are one machine ICE needs no help, and gathers faster without.
	if (needsStun && !isLoopbackHost(name)) {
		iceServers.push({ urls: `stun:${name}:${options.stunPort}` });
	}
	if (turn) {
		const { urls, secret, ttlS } = turn;
		iceServers.push({ urls, ...turnCredentials(secret, { addressKey, ttlS }, nowMs) });
	}
	return { trackers: trackers.length > 0 ? trackers : [own], iceServers };
}
