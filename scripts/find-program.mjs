// Finds programs that tests need, and installs them where that is possible without asking: root on Debian.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * The full path of a program on PATH.
 * @param {string} name
 * @returns {string | undefined}
 */
export function findProgram(name) {
	for (const folder of (process.env.PATH ?? '').split(delimiter)) {
		const path = join(folder, name);
		try {
			accessSync(path, constants.X_OK);
			return path;
		} catch {
			// not here
		}
	}
	return undefined;
}

/** Whether apt-get can install a package right now. */
export function canInstall() {
	return process.getuid?.() === 0 && existsSync('/etc/debian_version') && !!findProgram('apt-get');
}

/**
 * Installs a Debian package; says so on the console, as it changes the machine.
 * @param {string} name
 * @returns {boolean} whether apt-get succeeded
 */
export function installPackage(name) {
	if (!canInstall()) return false;
	console.log(`Installing ${name} with apt-get …`);
	const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
	/** @param {string[]} args */
	const apt = (...args) => {
		const { status } = spawnSync('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=120', ...args], {
			env,
			stdio: ['ignore', 'ignore', 'inherit'],
			timeout: 600_000,
		});
		return status === 0;
	};
	const install = ['install', '-y', '--no-install-recommends', name];
	return apt(...install) || (apt('update') && apt(...install));
}
