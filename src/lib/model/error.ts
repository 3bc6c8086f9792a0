/** Everything that can go wrong, one stable code each. Pages turn codes into sentences. */
export type ShoalErrorCode =
	/** The link is not a channel: cut, mistyped, or of another kind. */
	| 'bad-link'
	/** The key is one that anybody could sign for (small order or non-canonical). */
	| 'bad-key'
	/** This browser can't do WebRTC, or the page forbids it. */
	| 'no-webrtc'
	/** This browser can't make or use Ed25519 keys. */
	| 'no-signing'
	/** Camera, microphone or screen was refused by the person or by policy. */
	| 'capture-denied'
	/** There is no such camera, microphone or screen. */
	| 'no-device'
	/** The device is there but busy or broken. */
	| 'device-failed'
	/** The file can't be played by this browser. */
	| 'bad-file'
	/** No codec that this browser encodes can be sent. */
	| 'no-encoder'
	/** An encoder broke and could not be replaced. */
	| 'encoder-failed'
	/** The viewer's browser can't play the broadcast's codec. */
	| 'unsupported-codec'
	/** Media could not be decoded even after a rebuild. */
	| 'playback-failed'
	/** No tracker answers. Retried for ever; a state rather than an end. */
	| 'no-tracker'
	/** Peers were found but no direct path to any of them exists. */
	| 'ice-failed'
	/** Another tab or window of this browser is already publishing on this channel. */
	| 'already-live'
	/** Browser storage refused to keep the channel's key or place. */
	| 'storage-failed'
	/** /config.json is missing or malformed. */
	| 'bad-config'
	/** Not a torrent, a broken one, or one with unsafe file names; or a torrent nobody added. */
	| 'bad-torrent'
	/** Bytes from outside break the protocol. */
	| 'protocol'
	/** A signature doesn't fit. */
	| 'bad-signature'
	/** Called after `close()`. */
	| 'closed';

/** The one error class of the library. `code` is stable; `message` is for logs. */
export class ShoalError extends Error {
	readonly code: ShoalErrorCode;

	constructor(code: ShoalErrorCode, message: string, options?: { cause?: unknown }) {
		super(message, options);
		this.name = 'ShoalError';
		this.code = code;
	}
}
