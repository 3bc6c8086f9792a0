import type { Packet } from './packet.ts';

/** A track as the init segment declares it. */
export interface TrackLayout {
	readonly trackId: number;
	/** Ticks per second of the track's media time. */
	readonly timescale: number;
}

/** The packets of one track in a fragment, in decoding order. */
export interface TrackRun {
	readonly track: TrackLayout;
	readonly packets: readonly Packet[];
	/**
	 * Where the track's fragment before ended, microseconds, when the first packet is shown later than that: it is decoded
	 * from then on, so that decoding time has no hole. A `SourceBuffer` takes a hole of more than two frames for a break,
	 * and drops all pictures up to the next key frame (W3C MSE, coded frame processing).
	 */
	readonly decodeFromUs?: number;
}

// Sample flags (ISO 14496-12 §8.8.3.1): sample_depends_on 2 = on no other, 1 = on others and not a sync sample.
const KEY_FLAGS = 0x02000000;
const DELTA_FLAGS = 0x01010000;

const DEFAULT_BASE_IS_MOOF = 0x020000;
const TRUN_HAS_DATA_OFFSET = 0x000001;
const TRUN_HAS_DURATION = 0x000100;
const TRUN_HAS_SIZE = 0x000200;
const TRUN_HAS_FLAGS = 0x000400;
const TRUN_HAS_SHIFT = 0x000800;

const FULL_BOX_BYTES = 12;
const BOX_BYTES = 8;
const MFHD_BYTES = FULL_BOX_BYTES + 4;
const TFHD_BYTES = FULL_BOX_BYTES + 4;
const TFDT_BYTES = FULL_BOX_BYTES + 8;
const TRUN_HEAD_BYTES = FULL_BOX_BYTES + 8;
const TRUN_SAMPLE_BYTES = 12;
const SHIFT_BYTES = 4;

/**
 * One movie fragment, `moof` and `mdat` (ISO 14496-12 §8.8): no decoding order other than the given one.
 *
 * ```
 * moof  mfhd(sequence)
 *       traf  tfhd(track id, default-base-is-moof)  tfdt v1(64-bit start)
 *             trun(data offset; duration, size, flags of each sample)       one per track with packets
 *                  (and when it is shown after its decoding, where the first is)
 * mdat  the packets' bytes, track after track
 * ```
 *
 * Start and end of each sample are rounded from microseconds, not its duration, so that nothing drifts.
 */
export function writeFragment(
	sequence: number,
	runs: readonly TrackRun[],
): Uint8Array<ArrayBuffer> {
	const filled = runs.filter((run) => run.packets.length > 0);
	const moofBytes = filled.reduce((sum, run) => sum + trafBytes(run), BOX_BYTES + MFHD_BYTES);
	const mediaBytes = filled.reduce((sum, run) => sum + dataBytes(run), 0);
	const writer = new BoxWriter(moofBytes + BOX_BYTES + mediaBytes);

	writer.box('moof', moofBytes);
	writer.fullBox('mfhd', MFHD_BYTES, 0, 0);
	writer.u32(sequence);
	let dataOffset = moofBytes + BOX_BYTES;
	for (const run of filled) {
		writeTraf(writer, run, dataOffset);
		dataOffset += dataBytes(run);
	}
	writer.box('mdat', BOX_BYTES + mediaBytes);
	for (const run of filled) for (const packet of run.packets) writer.bytes(packet.data);
	return writer.finished();
}

function trafBytes(run: TrackRun): number {
	return BOX_BYTES + TFHD_BYTES + TFDT_BYTES + trunBytes(run);
}

function trunBytes(run: TrackRun): number {
	const sampleBytes = TRUN_SAMPLE_BYTES + (isShifted(run) ? SHIFT_BYTES : 0);
	return TRUN_HEAD_BYTES + run.packets.length * sampleBytes;
}

/** Whether the first sample is decoded before it is shown. */
function isShifted({ packets, decodeFromUs = Infinity }: TrackRun): boolean {
	return decodeFromUs < (packets[0]?.startUs ?? 0);
}

function dataBytes(run: TrackRun): number {
	return run.packets.reduce((sum, packet) => sum + packet.data.length, 0);
}

function writeTraf(writer: BoxWriter, run: TrackRun, dataOffset: number): void {
	const { track, packets } = run;
	const toTicks = (us: number) => Math.round((us / 1e6) * track.timescale);
	const shifted = isShifted(run);
	const shownUs = packets[0]?.startUs ?? 0;
	const startTicks = toTicks(Math.min(shownUs, run.decodeFromUs ?? shownUs));
	const shiftTicks = toTicks(shownUs) - startTicks;

	writer.box('traf', trafBytes(run));
	writer.fullBox('tfhd', TFHD_BYTES, 0, DEFAULT_BASE_IS_MOOF);
	writer.u32(track.trackId);
	writer.fullBox('tfdt', TFDT_BYTES, 1, 0);
	writer.u64(startTicks);
	const flags = TRUN_HAS_DATA_OFFSET | TRUN_HAS_DURATION | TRUN_HAS_SIZE | TRUN_HAS_FLAGS;
	writer.fullBox('trun', trunBytes(run), 0, shifted ? flags | TRUN_HAS_SHIFT : flags);
	writer.u32(packets.length);
	writer.u32(dataOffset);
	let atTicks = startTicks;
	packets.forEach((packet, i) => {
		const endUs = packets[i + 1]?.startUs ?? packet.startUs + packet.durationUs;
		const ticks = Math.max(1, toTicks(endUs) - atTicks);
		atTicks += ticks;
		writer.u32(ticks);
		writer.u32(packet.data.length);
		writer.u32(packet.isKey ? KEY_FLAGS : DELTA_FLAGS);
		if (shifted) writer.u32(i === 0 ? shiftTicks : 0);
	});
}

/** Writes boxes one after the other into an array of known length. */
class BoxWriter {
	readonly #bytes: Uint8Array<ArrayBuffer>;
	readonly #view: DataView;
	#at = 0;

	constructor(length: number) {
		this.#bytes = new Uint8Array(length);
		this.#view = new DataView(this.#bytes.buffer);
	}

	box(name: string, length: number): void {
		this.u32(length);
		for (let i = 0; i < 4; i++) this.#bytes[this.#at++] = name.charCodeAt(i);
	}

	fullBox(name: string, length: number, version: number, flags: number): void {
		this.box(name, length);
		this.u32(version * 0x1000000 + flags);
	}

	u32(value: number): void {
		this.#view.setUint32(this.#at, value);
		this.#at += 4;
	}

	u64(value: number): void {
		this.#view.setBigUint64(this.#at, BigInt(value));
		this.#at += 8;
	}

	bytes(data: Uint8Array): void {
		this.#bytes.set(data, this.#at);
		this.#at += data.length;
	}

	finished(): Uint8Array<ArrayBuffer> {
		if (this.#at !== this.#bytes.length) throw new Error('a box has another length than declared');
		return this.#bytes;
	}
}
