import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Builds the Node programs if they are older than their sources; once, before any test. */
export default function buildProgram(): void {
	const script = join(import.meta.dirname, '../../scripts/build.mjs');
	const { status } = spawnSync(process.execPath, [script, '--stale', 'server'], {
		stdio: 'inherit',
	});
	if (status !== 0) throw new Error('The programs cannot be built');
}
