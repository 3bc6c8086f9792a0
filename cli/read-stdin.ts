import { CliError, EXIT } from './cli-error.ts';

/** All of stdin; throws when it is larger than `what` should be. */
export async function readStdin(mostBytes: number, what: string): Promise<Buffer> {
	const parts: Buffer[] = [];
	let length = 0;
	for await (const part of process.stdin as AsyncIterable<Buffer>) {
		length += part.length;
		if (length > mostBytes) {
			throw new CliError(EXIT.input, `stdin is larger than any ${what} should be`);
		}
		parts.push(part);
	}
	return Buffer.concat(parts);
}
