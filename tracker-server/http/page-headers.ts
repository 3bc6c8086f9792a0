import type { RequestOrigin } from './request-origin.ts';

/** Headers of every page and file: the site trusts itself and nobody else. */
const always: Readonly<Record<string, string>> = {
	'X-Content-Type-Options': 'nosniff',
	'Referrer-Policy': 'no-referrer',
	// Scripts of a sandboxed frame load with the origin "null"; nothing here is private.
	'Access-Control-Allow-Origin': '*',
	'Cross-Origin-Resource-Policy': 'cross-origin',
};

const powerful = ['geolocation', 'payment', 'usb', 'serial', 'hid', 'midi'];

/** Headers for one path of the site. `connect` lists origins of trackers in use. */
export function pageHeaders(
	pathname: string,
	origin: RequestOrigin,
	connect: readonly string[],
): Record<string, string> {
	if (isHashed(pathname)) {
		return { ...always, 'Cache-Control': 'public, max-age=31536000, immutable' };
	}
	const headers: Record<string, string> = { ...always, 'Cache-Control': 'no-cache' };
	if (!isPage(pathname)) return headers;
	headers['Content-Security-Policy'] = contentPolicy(pathname, origin, connect);
	headers['Permissions-Policy'] = permissions(pathname);
	if (isEmbed(pathname)) {
		// A page that isolates itself may embed the player all the same.
		headers['Cross-Origin-Embedder-Policy'] = 'credentialless';
	} else {
		headers['X-Frame-Options'] = 'DENY';
		headers['Cross-Origin-Opener-Policy'] = 'same-origin';
	}
	return headers;
}

/** Whether Vite put a content hash into the file's name. */
export function isHashed(pathname: string): boolean {
	return pathname.startsWith('/assets/');
}

function isPage(pathname: string): boolean {
	return pathname.endsWith('/') || pathname.endsWith('.html') || !/\.[^/]*$/.test(pathname);
}

function isEmbed(pathname: string): boolean {
	return pathname === '/embed' || pathname.startsWith('/embed/');
}

function contentPolicy(
	pathname: string,
	origin: RequestOrigin,
	connect: readonly string[],
): string {
	// Torrents bring their own trackers and web seeds; every other page talks to ours only.
	const isTorrents = pathname.startsWith('/torrents');
	const own = [`ws://${origin.host}`, `wss://${origin.host}`];
	const allowed = isTorrents ? ['ws:', 'wss:', 'http:', 'https:'] : [...own, ...connect];
	return [
		`default-src 'none'`,
		`script-src 'self' 'wasm-unsafe-eval'`,
		`worker-src 'self' blob:`,
		// Styles inside the player's shadow roots and in style attributes are inline.
		`style-src 'self' 'unsafe-inline'`,
		`img-src 'self' data: blob:`,
		`font-src 'self'`,
		`media-src 'self' blob: mediastream:`,
		`connect-src 'self' ${[...new Set(allowed)].join(' ')}`,
		`manifest-src 'self'`,
		`frame-src 'self'`,
		`base-uri 'none'`,
		`form-action 'none'`,
		`frame-ancestors ${isEmbed(pathname) ? '*' : `'none'`}`,
	].join('; ');
}

function permissions(pathname: string): string {
	const capture = pathname.startsWith('/seed') ? 'self' : '';
	const rules = ['camera', 'microphone', 'display-capture'].map((name) => `${name}=(${capture})`);
	for (const name of powerful) rules.push(`${name}=()`);
	return [...rules, 'autoplay=*', 'fullscreen=*', 'picture-in-picture=*'].join(', ');
}

/** Origins (scheme, host, port) of announce URLs, for `connect-src`. */
export function originsOf(announceUrls: readonly string[]): string[] {
	return announceUrls.map((url) => {
		const { protocol, host } = new URL(url);
		return `${protocol}//${host}`;
	});
}
