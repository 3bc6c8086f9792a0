/** A step of the source's clock beyond these is a leap, seconds: ahead, and back. */
const AHEAD_S = 2;
const BACK_S = 0.25;
/** Frames whose time has passed already are shown in as quick a succession. */
const SQUEEZED_S = 0.001;

/** A packet's place on its source's clock, seconds. */
export interface SourceTime {
	readonly timestamp: number;
	readonly duration: number;
	readonly type: 'key' | 'delta';
}

/** A packet's place on the channel's timeline. */
export interface Placed {
	/** Seconds; `undefined` for a packet that has to be left out. */
	readonly timestamp: number | undefined;
	/** Seconds. */
	readonly duration: number;
	/** Whether the source's clock leapt before it. */
	readonly leapt: boolean;
	/** Whether it is shown before one that came earlier. */
	readonly reordered: boolean;
}

/** A source's times on the channel's timeline: they begin where that stands, and leaps are taken out. */
export class Timeline {
	readonly startS: number;
	#offsetS: number | undefined;

	/** Begins at `startS` seconds. */
	constructor(startS: number) {
		this.startS = startS;
	}

	/** Says which moment of the source is the beginning; the first call counts. */
	begin(firstS: number): void {
		this.#offsetS ??= this.startS - firstS;
	}

	/** The clock of one track. Tracks leap together: the second one follows the offset that the first has found. */
	lane(kind: 'video' | 'audio'): { place(packet: SourceTime): Placed } {
		let own: number | undefined;
		/** Where the next packet is due, the latest time so far, and the latest before the last key frame. */
		let [dueS, newestS, floorS] = [NaN, -Infinity, -Infinity];
		let usualS = 0;
		const follow = (sourceS: number): boolean => {
			this.begin(sourceS);
			own ??= this.#offsetS ?? 0;
			const isLeap = (offsetS: number) => {
				const step = sourceS + offsetS - dueS;
				return step > AHEAD_S || step < -BACK_S;
			};
			// Frames that are shown out of order step back by a few frames; a leap takes all that follow with it.
			if (!isLeap(own)) return false;
			const found = this.#offsetS ?? own;
			const follows = found !== own && !isLeap(found);
			own = follows ? found : dueS - sourceS;
			this.#offsetS = own;
			return !follows;
		};
		return {
			place: ({ timestamp: sourceS, duration: sourceDurationS, type }) => {
				// Before a leap, a demuxer takes the leap for the length of the last frame.
				if (sourceDurationS <= AHEAD_S) usualS = sourceDurationS;
				const duration = usualS;
				const leapt = follow(sourceS);
				let atS = sourceS + (own ?? 0);
				const reordered = kind === 'video' && atS < newestS && atS > floorS && type === 'delta';
				if (type === 'key' && kind === 'video') floorS = newestS;
				if (atS < this.startS - 0.0005) {
					return { timestamp: undefined, duration, leapt, reordered: false }; // before the first picture
				}
				// Times may not run back across a key frame: of sound such packets are left out, frames are squeezed.
				if (kind === 'audio' && atS < newestS) {
					return { timestamp: undefined, duration, leapt, reordered: false };
				}
				if (atS <= floorS) floorS = atS = floorS + SQUEEZED_S;
				newestS = Math.max(newestS, atS);
				dueS = Math.max(Number.isNaN(dueS) ? -Infinity : dueS, atS + duration);
				return { timestamp: atS, duration, leapt, reordered };
			},
		};
	}
}
