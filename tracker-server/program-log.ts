import { pino } from 'pino';
import type { Logger } from 'pino';

/** Where a program's log goes. */
export interface LogStream {
	readonly isTTY?: boolean;
	write(text: string): unknown;
}

/** The program's log: JSON lines for whoever collects them, short words from warnings on for a person at a terminal. */
export function programLog(level: string | undefined, stream: LogStream): Logger {
	if (!stream.isTTY) return pino({ level: level ?? 'info' }, stream);
	return pino(
		{ level: level ?? 'warn', base: null, timestamp: false },
		{
			write: (line: string) => void stream.write(`${inWords(line)}\n`),
		},
	);
}

function inWords(line: string): string {
	const { msg, err } = JSON.parse(line) as { msg?: string; err?: { message?: string } };
	return [msg, err?.message].filter(Boolean).join(': ');
}
