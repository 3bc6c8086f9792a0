import type { MediaSource, MediaStretch } from './source-stretch.ts';

const PACKET_BYTES = 188;
const SYNC = 0x47;
const H264 = 0x1b;
const H265 = 0x24;

/**
 * A source whose stretches end where the format changes: MPEG-TS (ISO 13818-1) may go on with other codecs, another
 * picture size or other tracks, and no container that viewers play can. Everything else passes as it is.
 */
export function cutAtFormats(source: MediaSource): MediaSource {
	let rest: (Omit<MediaStretch, 'bytes'> & { cutter: FormatCutter }) | undefined;
	return {
		name: source.name,
		comesAgain: source.comesAgain,
		async next() {
			if (!rest?.cutter.hasMore) {
				const stretch = await source.next();
				if (!(stretch?.bytes instanceof ReadableStream)) return stretch;
				rest = { leadMs: stretch.leadMs, cutter: new FormatCutter(stretch.bytes) };
			}
			return { leadMs: rest.leadMs, bytes: rest.cutter.next() };
		},
		close: () => source.close(),
	};
}

class FormatCutter {
	readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
	readonly #watch = new FormatWatch();
	/** What begins the next stretch. */
	#head: Uint8Array | undefined;
	#isTransport: boolean | undefined;
	#partial: Uint8Array = new Uint8Array();
	#done = false;

	constructor(stream: ReadableStream<Uint8Array>) {
		this.#reader = stream.getReader();
	}

	/** Whether the stream was cut, and goes on. */
	get hasMore(): boolean {
		return this.#head !== undefined;
	}

	/** The bytes up to the next change of format. */
	next(): ReadableStream<Uint8Array> {
		const head = this.#head;
		this.#head = undefined;
		return new ReadableStream<Uint8Array>({
			start: (controller) => {
				if (head) controller.enqueue(head);
			},
			pull: async (controller) => {
				const bytes = await this.#read();
				if (bytes.length > 0) controller.enqueue(bytes);
				if (this.#done || this.#head) controller.close();
			},
			cancel: async (reason) => {
				this.#done = true;
				await this.#reader.cancel(reason);
			},
		});
	}

	/** Some bytes; after them the stream may be `#done` or cut. */
	async #read(): Promise<Uint8Array> {
		for (;;) {
			const { value, done } = await this.#reader.read();
			if (done) {
				this.#done = true;
				return this.#partial;
			}
			const bytes = this.#partial.length > 0 ? Buffer.concat([this.#partial, value]) : value;
			this.#partial = new Uint8Array();
			if (this.#isTransport === undefined) {
				if (bytes.length <= 2 * PACKET_BYTES) {
					this.#partial = bytes;
					continue;
				}
				this.#isTransport = [0, 1, 2].every((i) => bytes[i * PACKET_BYTES] === SYNC);
			}
			if (!this.#isTransport) return bytes;
			let at = 0;
			for (; at + PACKET_BYTES <= bytes.length; at += PACKET_BYTES) {
				const packet = bytes.subarray(at, at + PACKET_BYTES);
				if (packet[0] !== SYNC) {
					this.#isTransport = false; // out of step: left to the demuxer, which finds its feet
					return bytes;
				}
				const tables = this.#watch.changedBy(packet);
				if (!tables) continue;
				this.#head = Buffer.concat([...tables, bytes.subarray(at)]);
				return bytes.subarray(0, at);
			}
			this.#partial = bytes.slice(at);
			if (at > 0) return bytes.subarray(0, at);
		}
	}
}

/** Looks at every packet for what tells of another format: the program map, and the picture's parameters. */
class FormatWatch {
	#pat: Uint8Array | undefined;
	#pmt: Uint8Array | undefined;
	#pmtPid = -1;
	#map = '';
	#videoPid = -1;
	#videoType = 0;
	#parameters: Uint8Array | undefined;

	/** The tables that a stretch beginning with this packet needs before it; `undefined` when nothing has changed. */
	changedBy(packet: Uint8Array): Uint8Array[] | undefined {
		const pid = ((packet[1] ?? 0) & 0x1f) * 256 + (packet[2] ?? 0);
		const begins = ((packet[1] ?? 0) & 0x40) !== 0;
		const tables = () => [this.#pat, this.#pmt].filter((table) => table !== undefined);
		if (!begins) return undefined;
		const payload = payloadOf(packet);
		if (pid === 0) {
			this.#pat = packet.slice();
			// Pointer, 8 bytes of header; then number and PID of the first program (number 0 is the network).
			const section = payload.subarray(1 + (payload[0] ?? 0));
			for (let at = 8; at + 8 <= 3 + sectionBytes(section); at += 4) {
				if (u16(section, at) === 0) continue;
				this.#pmtPid = u16(section, at + 2) & 0x1fff;
				break;
			}
			return undefined;
		}
		if (pid === this.#pmtPid) {
			const before = this.#map;
			this.#readMap(payload);
			const changed = before !== '' && before !== this.#map;
			this.#pmt = packet.slice();
			if (!changed) return undefined;
			this.#parameters = undefined;
			return this.#pat ? [this.#pat] : [];
		}
		if (pid !== this.#videoPid) return undefined;
		const parameters = findParameters(payload, this.#videoType);
		if (!parameters) return undefined;
		const before = this.#parameters;
		this.#parameters = parameters.slice();
		return before && !agree(before, parameters) ? tables() : undefined;
	}

	#readMap(payload: Uint8Array): void {
		const section = payload.subarray(1 + (payload[0] ?? 0));
		const end = Math.min(section.length, 3 + sectionBytes(section) - 4);
		const entries: string[] = [];
		this.#videoPid = -1;
		for (let at = 12 + (u16(section, 10) & 0xfff); at + 5 <= end;) {
			const type = section[at] ?? 0;
			const pid = u16(section, at + 1) & 0x1fff;
			entries.push(`${type}:${pid}`);
			if ((type === H264 || type === H265) && this.#videoPid < 0) {
				this.#videoPid = pid;
				this.#videoType = type;
			}
			at += 5 + (u16(section, at + 3) & 0xfff);
		}
		this.#map = entries.join();
	}
}

/** What follows a packet's header and adaptation field. */
function payloadOf(packet: Uint8Array): Uint8Array {
	const control = (packet[3] ?? 0) & 0x30;
	if (control === 0x20) return packet.subarray(PACKET_BYTES);
	return packet.subarray(control === 0x30 ? 5 + (packet[4] ?? 0) : 4);
}

/** The sequence parameter set in a packet, as far as it is in it. */
function findParameters(payload: Uint8Array, type: number): Uint8Array | undefined {
	for (let at = 0; at + 4 < payload.length; at++) {
		if (payload[at] !== 0 || payload[at + 1] !== 0 || payload[at + 2] !== 1) continue;
		const unit = payload[at + 3] ?? 0;
		if (type === H264 ? (unit & 0x1f) !== 7 : ((unit >> 1) & 0x3f) !== 33) continue;
		let end = at + 4;
		while (end < payload.length && !isStart(payload, end)) end++;
		return payload.subarray(at + 3, end);
	}
	return undefined;
}

function isStart(bytes: Uint8Array, at: number): boolean {
	return bytes[at] === 0 && bytes[at + 1] === 0 && (bytes[at + 2] ?? 0) <= 1;
}

/** Whether two parameter sets, each perhaps cut off, are the same as far as they go. */
function agree(one: Uint8Array, other: Uint8Array): boolean {
	const length = Math.min(one.length, other.length);
	for (let at = 0; at < length; at++) if (one[at] !== other[at]) return false;
	return true;
}

function sectionBytes(section: Uint8Array): number {
	return u16(section, 1) & 0xfff;
}

function u16(bytes: Uint8Array, at: number): number {
	return (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
}
