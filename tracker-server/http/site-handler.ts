import type { IncomingMessage, ServerResponse } from 'node:http';

import { addressKey } from '../core/address.ts';
import type { PageHandler } from './pages.ts';
import { requestOrigin, visitorAddress } from './request-origin.ts';
import type { RequestOrigin } from './request-origin.ts';
import type { SiteConfig } from './site-config.ts';

export interface SiteHandlerOptions {
	readonly trustedHops: number;
	readonly fallbackHost: () => string;
	readonly config: (origin: RequestOrigin, addressKey: string) => SiteConfig;
	/** Absent where this server is a tracker alone. */
	readonly pages: PageHandler | undefined;
	readonly isDraining: () => boolean;
	/** Answers announces and scrapes over HTTP. */
	readonly plain: (
		request: IncomingMessage,
		response: ServerResponse,
		kind: 'announce' | 'scrape',
	) => void;
}

/** Answers plain HTTP: `/config.json`, `/health`, announces of ordinary clients, and the pages. */
export function siteHandler(options: SiteHandlerOptions) {
	const { pages, trustedHops } = options;
	return (request: IncomingMessage, response: ServerResponse): void => {
		// Nobody here reads a body: one that comes is thrown away.
		request.resume();
		const pathname = pathOf(request.url);
		if (pathname === undefined) return send(response, 400, 'Not a path\n');
		if (request.method !== 'GET' && request.method !== 'HEAD') {
			response.setHeader('Allow', 'GET, HEAD');
			return send(response, 405, 'Only GET and HEAD\n');
		}
		if (pathname === '/health') {
			return options.isDraining() ? send(response, 503, 'draining\n') : send(response, 200, 'ok\n');
		}
		const origin = requestOrigin(request, { trustedHops, fallbackHost: options.fallbackHost() });
		if (pathname === '/config.json') {
			const key = addressKey(visitorAddress(request, trustedHops));
			return sendConfig(response, options.config(origin, key));
		}
		// Ordinary BitTorrent clients ask with a query, WebSocket ones to be upgraded.
		if (pathname === '/scrape') return options.plain(request, response, 'scrape');
		if (pathname === '/announce') {
			if (request.url?.includes('info_hash=')) {
				return options.plain(request, response, 'announce');
			}
			response.setHeader('Upgrade', 'websocket');
			return send(response, 426, 'The tracker speaks WebSocket here\n');
		}
		const missing = () => send(response, 404, 'Not found\n');
		if (pages) return pages(request, response, origin, missing);
		if (pathname === '/') return send(response, 200, 'A Shoal tracker. Announce at /announce\n');
		return missing();
	};
}

function sendConfig(response: ServerResponse, config: SiteConfig): void {
	response.setHeader('Cache-Control', 'no-store');
	response.setHeader('Access-Control-Allow-Origin', '*');
	response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
	send(response, 200, JSON.stringify(config), 'application/json');
}

function send(
	response: ServerResponse,
	status: number,
	body: string,
	type = 'text/plain; charset=utf-8',
): void {
	response.statusCode = status;
	response.setHeader('Content-Type', type);
	response.setHeader('X-Content-Type-Options', 'nosniff');
	response.setHeader('Content-Length', Buffer.byteLength(body));
	response.end(response.req.method === 'HEAD' ? undefined : body);
}

function pathOf(url: string | undefined): string | undefined {
	if (!url?.startsWith('/') || url.startsWith('//')) return undefined;
	try {
		return new URL(url, 'http://site.invalid').pathname;
	} catch {
		return undefined;
	}
}
