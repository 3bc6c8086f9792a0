import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { build } from 'vite';

/** The page of lab-page.ts on a free port. */
export interface SwarmLabSite {
	readonly url: string;
	close(): Promise<void>;
}

/** Bundles the page and serves it on loopback. */
export async function openSwarmLab(): Promise<SwarmLabSite> {
	const built = await build({
		configFile: false,
		logLevel: 'warn',
		build: {
			write: false,
			minify: false,
			target: 'es2022',
			rolldownOptions: { input: join(import.meta.dirname, 'lab-page.ts') },
		},
	});
	const [bundle] = Array.isArray(built) ? built : [built];
	if (!bundle || !('output' in bundle)) throw new Error('vite built nothing');
	const script = bundle.output[0].code;
	const server = createServer((request, response) => {
		const isScript = request.url === '/lab.js';
		response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
		const page = '<!doctype html><title>Lab</title><script type="module" src="/lab.js"></script>';
		response.end(isScript ? script : page);
	});
	await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
	const { port } = server.address() as AddressInfo;
	return {
		url: `http://localhost:${port}/`,
		async close() {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
		},
	};
}
