export type StartErrorCode = 'no-pages' | 'port-busy' | 'port-denied' | 'listen' | 'config';

/** Why the server did not start, in a sentence for the person who started it. */
export class StartError extends Error {
	readonly code: StartErrorCode;

	constructor(code: StartErrorCode, message: string) {
		super(message);
		this.name = 'StartError';
		this.code = code;
	}
}
