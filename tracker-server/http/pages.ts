import { existsSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';

import { originsOf, pageHeaders } from './page-headers.ts';
import type { RequestOrigin } from './request-origin.ts';
import { readSite } from './site-files.ts';

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

/** The built pages of `dir`, with their headers. Files are read once, at the start. */
export function pageHandler(dir: string, trackers: readonly string[]): PageHandler {
	const connect = originsOf(trackers);
	const files = readSite(dir);
	const folders = ['seed', 'watch', 'embed', 'torrents', 'terminal'].filter((name) =>
		files.has(`/${name}/`),
	);
	const missing = files.get('/404/')?.bytes.toString();
	return (request, response, origin, next) => {
		const { pathname, search } = new URL(request.url ?? '/', 'http://site.invalid');
		if (folders.includes(pathname.slice(1))) {
			// The fragment, which holds the channel, stays with the browser through a redirect.
			response.writeHead(308, { Location: `${pathname}/${search}`, 'Content-Length': 0 });
			response.end();
			return;
		}
		const file = files.get(pathname);
		if (!file) {
			// Scripts and programs read no pages.
			if (missing === undefined || !request.headers.accept?.includes('text/html')) return next();
			const body = missing.replaceAll('"../', `"${wayUp(pathname)}`);
			response.writeHead(404, {
				...pageHeaders('/404/', origin, connect),
				'Content-Type': 'text/html; charset=utf-8',
				'Content-Length': Buffer.byteLength(body),
			});
			response.end(request.method === 'HEAD' ? undefined : body);
			return;
		}
		const headers = { ...pageHeaders(pathname, origin, connect), ETag: file.etag };
		if (request.headers['if-none-match']?.includes(file.etag)) {
			response.writeHead(304, headers).end();
			return;
		}
		response.writeHead(200, {
			...headers,
			'Content-Type': file.type,
			'Content-Length': file.bytes.length,
		});
		response.end(request.method === 'HEAD' ? undefined : file.bytes);
	};
}

/** From a path of the site to its start, relative, as the site may stand under another's path. */
function wayUp(pathname: string): string {
	return '../'.repeat(pathname.split('/').length - 2) || './';
}
