// `npm start`: builds what is missing or stale, then serves pages and tracker on one port (PORT, HOST).
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { staleParts, top } from './stale.mjs';

/**
 * @param {string} sentence
 * @returns {never}
 */
function stop(sentence) {
	console.error(sentence);
	process.exit(1);
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19))
	stop(`Shoal needs Node 20.19 or newer; this is Node ${process.versions.node}.`);

if (staleParts().length) {
	if (!existsSync(join(top, 'node_modules/vite')))
		stop('The packages that Shoal is built with are missing: run "npm ci" first.');
	const build = join(top, 'scripts/build.mjs');
	const { status } = spawnSync(process.execPath, [build, '--stale'], { stdio: 'inherit' });
	if (status !== 0) process.exit(1);
}

// In this process, so that signals and the exit code are the server's own.
await import(pathToFileURL(join(top, 'dist/node/tracker-server.js')).href);
