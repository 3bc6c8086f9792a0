#!/usr/bin/env node
import { runCli } from './run-cli.ts';

// A reader that leaves (`shoal … | head`) is no fault; writing on would be.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
	process.exit(error.code === 'EPIPE' ? 0 : 1);
});
process.stderr.on('error', () => undefined);

// Native parts (WebRTC, sockets) may outlive their use by seconds; the command is done.
void runCli(process.argv.slice(2)).then((exitCode) => {
	// A pipe takes its time; what was written to it must leave before.
	process.stdout.write('', () => process.exit(exitCode));
});
