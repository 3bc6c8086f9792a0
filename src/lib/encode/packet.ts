/** One encoded frame of video, or 20 ms of sound. */
export interface Packet {
	readonly data: Uint8Array;
	/** Media time, microseconds. */
	readonly startUs: number;
	/** Media length, microseconds. */
	readonly durationUs: number;
	/** Whether it decodes without those before; true for all sound. */
	readonly isKey: boolean;
}
