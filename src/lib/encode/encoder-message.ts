import type { ShoalErrorCode } from '../model/error.ts';
import type { Profile } from './profile.ts';

/** What an encoder survived, or what is missing in what it sends. */
export type EncoderWarningCode =
	/** The picture is gone: a still picture and silence are sent. */
	| 'source-lost'
	/** An encoder broke and was replaced. */
	| 'encoder-restarted'
	/** The picture changed its size and is shown with bars. */
	| 'resized'
	/** The source has no sound, or lost it: silence is sent. */
	| 'no-audio'
	/** Frames come faster than this machine encodes them. */
	| 'overloaded';

/** Figures of an encoder since it was opened, and of its last two seconds. */
export interface EncoderStats {
	readonly framesIn: number;
	readonly framesEncoded: number;
	/** Left out because the encoder was busy. */
	readonly framesDropped: number;
	/** Whether frames come faster than this machine encodes them; until it has kept up again for a while. */
	readonly isOverloaded: boolean;
	/** Sent again because the picture stood still or was gone. */
	readonly framesRepeated: number;
	readonly keyFrames: number;
	/** What video is asked to take, bits per second. */
	readonly targetBps: number;
	/** What video took in the last seconds, bits per second. */
	readonly videoBps: number;
	/** RFC 6381 name of the video codec. */
	readonly codec: string;
	/** Frames that wait in front of the encoder. */
	readonly encoderQueue: number;
	readonly width: number;
	readonly height: number;
	readonly segments: number;
	/** From the end of the last segment's media time to its last byte, milliseconds. */
	readonly segmentDelayMs: number;
	/** Silence put in where sound was missing, milliseconds. */
	readonly silentMs: number;
}

/** The tracks of a source on their way into the worker; `undefined` where there is none. */
export interface SourceTracks {
	/** Frames of a `MediaStreamTrackProcessor`, or `pumped` when they come as `frame` messages. */
	readonly video: ReadableStream<VideoFrame> | 'pumped' | undefined;
	/** Sound of a `MediaStreamTrackProcessor`, or the port of an audio worklet that posts `SoundMessage`s. */
	readonly audio: ReadableStream<AudioData> | MessagePort | undefined;
}

/** What an audio worklet posts: one array a channel. */
export interface SoundMessage {
	readonly channels: readonly Float32Array[];
	readonly sampleRate: number;
}

/** To the worker. */
export type EncoderCommand =
	| { readonly type: 'open'; readonly profile: Profile; readonly source: SourceTracks | undefined }
	| { readonly type: 'source'; readonly source: SourceTracks | undefined }
	/** The frame that was wanted; `ended` when there will be none any more. */
	| { readonly type: 'frame'; readonly frame: VideoFrame | 'ended' }
	| { readonly type: 'bitrate'; readonly bps: number }
	| { readonly type: 'close' };

/** From the worker. */
export type EncoderReport =
	| { readonly type: 'opened' }
	| {
			readonly type: 'init';
			readonly id: number;
			readonly bytes: Uint8Array<ArrayBuffer>;
			readonly mime: string;
	  }
	| {
			readonly type: 'segment';
			readonly bytes: Uint8Array<ArrayBuffer>;
			readonly startUs: number;
			readonly durationUs: number;
			readonly sinceKeyFrame: number;
			readonly discontinuity: boolean;
			/** Which `init` report it follows. */
			readonly init: number;
			readonly stats: EncoderStats;
	  }
	| { readonly type: 'warning'; readonly code: EncoderWarningCode; readonly detail: string }
	/** Whether a real picture or the slate is being sent. */
	| { readonly type: 'picture'; readonly isSlate: boolean }
	/** Time for a pumped source to hand over its next frame: main-thread timers sleep in hidden tabs. */
	| { readonly type: 'want-frame' }
	| { readonly type: 'failed'; readonly code: ShoalErrorCode; readonly message: string }
	| { readonly type: 'closed' };

/** Hands a report over; `transfer` lists what changes hands. */
export type Emit = (report: EncoderReport, transfer?: Transferable[]) => void;
