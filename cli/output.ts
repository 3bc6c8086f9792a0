import type { Writable } from 'node:stream';

/** Options of every command. */
export interface OutputOptions {
	readonly json?: boolean;
	readonly quiet?: boolean;
}

/** Where a command writes. */
export interface Streams {
	readonly stdout: Writable;
	readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
}

/**
 * What a command says. Results go to stdout: lines, or one JSON object a line with `--json`. Everything else goes to
 * stderr: messages, and a progress line that is rewritten on a terminal and left out elsewhere.
 */
export class Output {
	readonly json: boolean;
	readonly quiet: boolean;
	readonly #streams: Streams;
	#progress = '';

	constructor({ json = false, quiet = false }: OutputOptions, streams: Streams = process) {
		this.json = json;
		this.quiet = quiet;
		this.#streams = streams;
	}

	/** A result: `text` for people, `value` for programs. */
	result(text: string, value: Readonly<Record<string, unknown>>): void {
		this.#clear();
		this.#streams.stdout.write(`${this.json ? JSON.stringify(value) : text}\n`);
	}

	/** Something that happened; with `--json` an object on stdout, unless `value` is left out. */
	event(text: string, value?: Readonly<Record<string, unknown>>): void {
		if (this.json && value) this.result(text, value);
		else if (!this.quiet && !this.json) this.#line(text);
	}

	/** Something that people should know even with `--quiet`; with `--json` an object of type `warning`. */
	warn(text: string): void {
		if (this.json) this.result(text, { type: 'warning', text });
		else this.#line(text);
	}

	/** How far it is, on one line that the next one replaces; terminals only. */
	progress(text: string): void {
		const { stderr } = this.#streams;
		if (this.quiet || this.json || !stderr.isTTY) return;
		const cut = text.slice(0, (stderr.columns ?? 80) - 1);
		this.#clear();
		stderr.write(cut);
		this.#progress = cut;
	}

	#line(text: string): void {
		this.#clear();
		this.#streams.stderr.write(`${text}\n`);
	}

	#clear(): void {
		if (!this.#progress) return;
		this.#progress = '';
		this.#streams.stderr.write('\r\u001b[K');
	}
}

/** Text from outside without what would move a terminal's cursor or change its colours. */
export function plain(text: string): string {
	// eslint-disable-next-line no-control-regex -- they are what is taken out
	return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?');
}

/** `1.4 MB`, `12 kB`. */
export function showBytes(bytes: number): string {
	const units = ['B', 'kB', 'MB', 'GB', 'TB'];
	let value = bytes;
	let unit = 0;
	for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1000;
	return `${unit === 0 || value >= 9.95 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ''}`;
}

/** `2.4 Mbit/s`. */
export function showRate(bps: number): string {
	if (bps < 999_500) return `${Math.round(bps / 1000)} kbit/s`;
	const mbps = bps / 1e6;
	return `${mbps < 9.95 ? mbps.toFixed(1) : Math.round(mbps)} Mbit/s`;
}

/** `1:02:03`, `4:05`. */
export function showTime(milliseconds: number): string {
	const seconds = Math.round(milliseconds / 1000);
	const pad = (value: number) => String(value).padStart(2, '0');
	const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
	return hours > 0
		? `${hours}:${pad(minutes)}:${pad(seconds % 60)}`
		: `${minutes}:${pad(seconds % 60)}`;
}

/** "1 file", "2 files". */
export function showCount(count: number, noun: string): string {
	return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
