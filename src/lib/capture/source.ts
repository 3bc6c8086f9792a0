import type { DeviceKind } from './camera-asks.ts';

/** What a broadcast shows. */
export type SourceKind = 'camera' | 'screen' | 'file';

/** Why a source ended by itself: pulled out, stopped in the browser's own bar, or the file is over or can't be read on. */
export type SourceEnd = 'unplugged' | 'stopped' | 'finished' | 'unreadable';

/** Something to broadcast. Whoever opened it closes it; encoders only read its tracks. */
export interface Source {
	readonly kind: SourceKind;
	/** Name of the device, screen or file, for people. */
	readonly label: string;
	/** Live tracks; also what a muted preview shows. */
	readonly stream: MediaStream;
	readonly hasAudio: boolean;
	readonly hasVideo: boolean;
	/** Devices that were asked for by their id and are gone; the browser's choice stands in for them. */
	readonly absent: readonly DeviceKind[];
	/** Called once when the source ends without `close()`. */
	onended: ((why: SourceEnd) => void) | undefined;
	/** Gives the device back; idempotent. */
	close(): void;
}

/** What `streamSource` needs besides the stream. */
interface StreamSourceOptions {
	readonly kind: SourceKind;
	readonly label: string;
	readonly stream: MediaStream;
	/** What the end of a track means here. */
	readonly trackEnd: SourceEnd;
	/** @default none */
	readonly absent?: readonly DeviceKind[];
	/** Runs once when the source is over, by itself or by `close()`. */
	readonly onRelease?: () => void;
}

/** A source over the tracks of a stream; it ends by itself when its leading track does: video, else audio. */
export function streamSource(options: StreamSourceOptions): Source & { end(why: SourceEnd): void } {
	const { kind, label, stream, trackEnd, absent = [], onRelease } = options;
	const leading = stream.getVideoTracks()[0] ?? stream.getAudioTracks()[0];
	let over = false;

	function release(): boolean {
		if (over) return false;
		over = true;
		leading?.removeEventListener('ended', onTrackEnd);
		for (const track of stream.getTracks()) track.stop();
		onRelease?.();
		return true;
	}

	function onTrackEnd(): void {
		source.end(trackEnd);
	}

	const source = {
		kind,
		label,
		stream,
		hasAudio: stream.getAudioTracks().length > 0,
		hasVideo: stream.getVideoTracks().length > 0,
		absent,
		onended: undefined as Source['onended'],
		end(why: SourceEnd): void {
			if (release()) source.onended?.(why);
		},
		close(): void {
			release();
		},
	};
	leading?.addEventListener('ended', onTrackEnd);
	return source;
}
