/** How a command ended, as its exit code. */
export const EXIT = {
	ok: 0,
	/** Something broke on the way. */
	failed: 1,
	/** The command line makes no sense. */
	usage: 2,
	/** A file, link, torrent, key or stream that can't be used. */
	input: 3,
	/** Nobody answers: no site, no tracker, no peers. */
	network: 4,
	/** Stopped by Ctrl-C before it was done. */
	interrupted: 130,
} as const;

/** An end with a message for a person; no stack trace is shown. */
export class CliError extends Error {
	readonly exitCode: number;

	constructor(exitCode: number, message: string, options?: { cause?: unknown }) {
		super(message, options);
		this.name = 'CliError';
		this.exitCode = exitCode;
	}
}

/** The exit code and the sentence for whatever was thrown. */
export function explain(error: unknown): { exitCode: number; message: string } {
	if (error instanceof CliError) return { exitCode: error.exitCode, message: error.message };
	const { code, path } = error as { code?: string; path?: string };
	const message = error instanceof Error ? error.message : String(error);
	switch (code) {
		case 'ENOENT':
			return { exitCode: EXIT.input, message: `There is no file ${path ?? message}` };
		case 'EACCES':
		case 'EPERM':
			return { exitCode: EXIT.input, message: `No permission for ${path ?? message}` };
		case 'EISDIR':
			return { exitCode: EXIT.input, message: `${path ?? 'That'} is a folder, not a file` };
		case 'ENOSPC':
			return { exitCode: EXIT.failed, message: 'The disk is full; what has come in is kept' };
		case 'bad-torrent':
		case 'bad-file':
			return { exitCode: EXIT.input, message };
		case 'bad-link':
			return {
				exitCode: EXIT.input,
				message:
					'This is not a whole peer link: its # is followed by 43 characters: letters, digits, - and _',
			};
		case 'bad-key':
			return {
				exitCode: EXIT.input,
				message: 'This link can’t be trusted: its key is one that anybody could sign for',
			};
		case 'bad-config':
		case 'no-tracker':
		case 'ice-failed':
			return { exitCode: EXIT.network, message };
		default:
			return { exitCode: EXIT.failed, message };
	}
}
