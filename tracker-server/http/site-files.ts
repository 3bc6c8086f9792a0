import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';

/** One file of a site, as it is sent. */
export interface SiteFile {
	readonly bytes: Buffer;
	readonly type: string;
	/** A strong entity tag (RFC 9110, 8.8.3). */
	readonly etag: string;
}

/** What a build of the pages consists of. */
const TYPES: Readonly<Record<string, string>> = {
	'.css': 'text/css; charset=utf-8',
	'.html': 'text/html; charset=utf-8',
	'.ico': 'image/x-icon',
	'.js': 'text/javascript; charset=utf-8',
	'.json': 'application/json',
	'.mjs': 'text/javascript; charset=utf-8',
	'.png': 'image/png',
	'.svg': 'image/svg+xml',
	'.txt': 'text/plain; charset=utf-8',
	'.wasm': 'application/wasm',
	'.webmanifest': 'application/manifest+json',
	'.webp': 'image/webp',
	'.woff2': 'font/woff2',
};

/**
 * Reads the files of a folder by their paths on the site, `index.html` by its folder's too; hidden ones are left out. They are a few megabytes, and kept: a
 * request opens no file, so it can't leave one open, and a folder that changes under a running server breaks nothing.
 */
export function readSite(dir: string): ReadonlyMap<string, SiteFile> {
	const files = new Map<string, SiteFile>();
	for (const entry of readdirSync(dir, { withFileTypes: true, recursive: true })) {
		if (!entry.isFile()) continue;
		const file = join(entry.parentPath, entry.name);
		const path = `/${relative(dir, file).split(sep).join('/')}`;
		if (path.includes('/.')) continue;
		const bytes = readFileSync(file);
		const siteFile = {
			bytes,
			type: TYPES[extname(path)] ?? 'application/octet-stream',
			etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
		};
		files.set(path, siteFile);
		if (path.endsWith('/index.html')) files.set(path.slice(0, -'index.html'.length), siteFile);
	}
	return files;
}
