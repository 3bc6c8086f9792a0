import { existsSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import sirv from 'sirv';

import { originsOf, pageHeaders } from './page-headers.ts';
import type { RequestOrigin } from './request-origin.ts';

/** Serves one request, or calls `next` where there is no such file. */
export type PageHandler = (
	request: IncomingMessage,
	response: ServerResponse,
	origin: RequestOrigin,
	next: () => void,
) => void;

/** Whether a folder holds built pages. */
export function hasPages(dir: string): boolean {
	return existsSync(join(dir, 'index.html'));
}

/** The built pages of `dir`, with their headers. Files are looked up once, at the start. */
export function pageHandler(dir: string, trackers: readonly string[]): PageHandler {
	const connect = originsOf(trackers);
	const serve = sirv(dir, { etag: true, dotfiles: false });
	const folders = ['seed', 'watch', 'embed', 'torrents'].filter((name) =>
		existsSync(join(dir, name, 'index.html')),
	);
	return (request, response, origin, next) => {
		const { pathname, search } = new URL(request.url ?? '/', 'http://site.invalid');
		if (folders.includes(pathname.slice(1))) {
			// The fragment, which holds the channel, stays with the browser through a redirect.
			response.writeHead(308, { Location: `${pathname}/${search}`, 'Content-Length': 0 });
			response.end();
			return;
		}
		const headers = pageHeaders(pathname, origin, connect);
		for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
		serve(request, response, () => {
			for (const name of Object.keys(headers)) response.removeHeader(name);
			next();
		});
	};
}
