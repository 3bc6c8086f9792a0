import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { build } from 'vite';
import { record, type Media, type Recipe } from './media.ts';

/** A page with a video and a rig, and the recordings it plays. */
export interface Studio {
	readonly url: string;
	close(): Promise<void>;
}

/** Makes the recordings, bundles the rig and serves both on a free port. */
export async function openStudio(recipes: Readonly<Record<string, Recipe>>): Promise<Studio> {
	const recordings = new Map<string, Media>();
	for (const [name, recipe] of Object.entries(recipes)) recordings.set(name, record(recipe));
	const script = await bundle(join(import.meta.dirname, 'rig-page.ts'));
	const html = '<!doctype html><title>Rig</title><body></body>';
	const server = createServer((request, response) => {
		const name = /^\/(\w+)\.json$/.exec(request.url ?? '')?.[1];
		const recording = name && recordings.get(name);
		if (recording) {
			response.setHeader('content-type', 'application/json').end(JSON.stringify(recording));
		} else if (request.url === '/rig.js') {
			response.setHeader('content-type', 'text/javascript').end(script);
		} else {
			response.setHeader('content-type', 'text/html');
			response.end(`${html}<script type="module" src="/rig.js"></script>`);
		}
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

async function bundle(entry: string): Promise<string> {
	const built = await build({
		configFile: false,
		logLevel: 'warn',
		build: {
			write: false,
			minify: false,
			target: 'es2022',
			lib: { entry, formats: ['es'], fileName: 'rig' },
		},
	});
	const [output] = Array.isArray(built) ? built : [built];
	if (!output || !('output' in output)) throw new Error('vite built nothing');
	return output.output[0].code;
}
