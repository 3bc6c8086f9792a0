// Every sentence that tells people where they stand: what is happening, why, and what to do.
import type { ShoalErrorCode } from '../../lib/index.ts';
import type {
	BroadcasterState,
	DeviceKind,
	Health,
	PlayerState,
	SourceEnd,
	SourceKind,
	ViewerState,
} from './halls.ts';
import { refusalReason } from './refusal.ts';
import { ago, span } from './numbers.ts';

/** What is happening, why, and what to do; plain text. */
export interface Words {
	readonly what: string;
	readonly why?: string;
	readonly todo?: string;
}

/** One entry per code of the library. */
export const ERROR_WORDS: Readonly<Record<ShoalErrorCode, Required<Words>>> = {
	'bad-link': {
		what: 'This is not a whole peer link.',
		why: 'A peer link ends in 43 characters after the #: letters, digits, - and _. Some are missing, or changed on the way.',
		todo: 'Ask for the link again and copy all of it.',
	},
	'bad-key': {
		what: 'This link can’t be trusted.',
		why: 'Its key is one that anybody could sign for, so nobody could tell who is broadcasting.',
		todo: 'Ask the broadcaster for a new link.',
	},
	'no-webrtc': {
		what: 'This browser can’t connect to other viewers.',
		why: 'WebRTC is missing, or an extension or the surrounding page forbids it.',
		todo: 'Allow WebRTC for this page, or open it in a current Chrome, Edge, Firefox or Safari.',
	},
	'no-signing': {
		what: 'This browser can’t handle signed broadcasts.',
		why: 'They need Ed25519 keys, which came to Chrome 137, Firefox 129 and Safari 17, on secure pages only.',
		todo: 'Open this page over https in a current browser.',
	},
	'capture-denied': {
		what: 'The page may not use the camera or microphone.',
		why: 'It was refused, by you, by the browser’s settings or by the system’s.',
		todo: 'Allow it in the site settings beside the address, then choose the source again.',
	},
	'no-device': {
		what: 'No camera or microphone was found.',
		why: 'None is connected, or the one chosen before is gone.',
		todo: 'Connect one and choose Camera again, or choose Screen or File.',
	},
	'device-failed': {
		what: 'The device gives no picture or sound.',
		why: 'Another program may be holding it, or it has stopped working.',
		todo: 'Close the other program or reconnect the device, then choose the source again.',
	},
	'bad-file': {
		what: 'This file can’t be played here.',
		why: 'The browser doesn’t know its format or codec, or the file is damaged.',
		todo: 'Choose another file; MP4 with H.264 or WebM plays nearly everywhere.',
	},
	'no-encoder': {
		what: 'This browser can’t encode video.',
		why: 'It offers none of the codecs that viewers can play.',
		todo: 'Go live from a current Chrome, Edge, Firefox or Safari.',
	},
	'encoder-failed': {
		what: 'The broadcast stopped: the encoder broke.',
		why: 'It failed, and so did the one put in its place.',
		todo: 'Go live again; the link stays the same.',
	},
	'unsupported-codec': {
		what: 'This browser can’t play this broadcast.',
		why: 'It lacks the codec that is sent.',
		todo: 'Open the link in another browser, such as a current Chrome, Edge or Firefox.',
	},
	'playback-failed': {
		what: 'Playing stopped.',
		why: 'What arrived could not be decoded, even after starting afresh.',
		todo: 'Reload the page to try again.',
	},
	'no-tracker': {
		what: 'The tracker can’t be reached.',
		why: 'It introduces viewers to each other, and it doesn’t answer.',
		todo: 'This page keeps trying; there is nothing to do but wait.',
	},
	'ice-failed': {
		what: 'No way through to the others.',
		why: 'Viewers were found, but a firewall or router on the way lets no direct connection through.',
		todo: 'Try another network or switch off the VPN; this page keeps trying.',
	},
	'already-live': {
		what: 'You’re on air in another tab.',
		why: 'One tab at a time can broadcast under a link.',
		todo: 'Stop there first, or go on there.',
	},
	'storage-failed': {
		what: 'The browser didn’t keep the channel’s key.',
		why: 'Its storage is full, or switched off for this site or window.',
		todo: 'Free some space or use an ordinary window, then reload the page.',
	},
	'bad-config': {
		what: 'The site’s settings couldn’t be read.',
		why: 'Its config.json doesn’t answer, or is not what it should be.',
		todo: 'Reload in a while; if it stays so, tell whoever runs this site.',
	},
	protocol: {
		what: 'Something unreadable arrived.',
		why: 'The other side speaks another version, or breaks the rules.',
		todo: 'Reload the page; both sides may need the newest version.',
	},
	'bad-torrent': {
		what: 'This is not a torrent.',
		why: 'The file, magnet link or infohash is damaged, incomplete or of another kind.',
		todo: 'Get it again from where it came, and add all of it.',
	},
	'bad-signature': {
		what: 'A signature didn’t fit.',
		why: 'What arrived was not made by the owner of this channel, so it was thrown away.',
		todo: 'Reload the page, or ask the broadcaster for the link again.',
	},
	closed: {
		what: 'This page has let go of the channel.',
		why: 'It was closed while something was still under way.',
		todo: 'Reload the page to begin again.',
	},
};

const UNFORESEEN: Required<Words> = {
	what: 'Something failed that should not.',
	why: 'The page met a fault it has no name for; the browser’s console has the details.',
	todo: 'Reload the page to begin again.',
};

/** The watch page was opened without any link: the page's own code, `no-link`. */
export const NO_LINK: Required<Words> = {
	what: 'A peer link is needed to watch.',
	why: 'Each broadcast has its own; whoever broadcasts gets it on the page where they go live, and shares it.',
	todo: 'Open the link that you were sent, or go live and share yours.',
};

/** The sentence for anything that was thrown. */
export function failureWords(error: unknown): Required<Words> {
	const code: unknown = (error as { code?: unknown } | undefined)?.code;
	if (code === 'no-link') return NO_LINK;
	return typeof code === 'string' && Object.hasOwn(ERROR_WORDS, code)
		? ERROR_WORDS[code as ShoalErrorCode]
		: UNFORESEEN;
}

/** The sentence for a text that is no peer link. */
export function linkTrouble(text: string, error: unknown): string {
	if (!text.trim()) return 'Paste a peer link first.';
	const { what, why } = failureWords(error);
	return `${what} ${why}`;
}

/** The sentence for a source that could not be opened. */
export function captureWords(error: unknown, kind: SourceKind): Words {
	const code = (error as { code?: unknown } | undefined)?.code;
	if (code === 'capture-denied' && kind === 'screen') {
		return {
			what: 'No screen was shared.',
			why: 'The browser’s picker was closed, or sharing is not allowed.',
			todo: 'Choose Screen again and pick what to show.',
		};
	}
	if (code === 'no-device' && kind === 'screen') {
		return {
			what: 'This browser can’t share a screen.',
			why: 'Phones and some browsers have no way to.',
			todo: 'Choose Camera or File, or go live from a computer.',
		};
	}
	return failureWords(error);
}

/** The sentence for devices that were chosen and are gone, while others stand in for them. */
export function absentWords(absent: readonly DeviceKind[]): Required<Words> {
	const isOne = absent.length === 1;
	return {
		what: `The ${absent.join(' and ')} you chose ${isOne ? 'isn’t' : 'aren’t'} connected.`,
		why: 'This is what your browser found instead.',
		todo: `Connect ${isOne ? 'it' : 'them'} and choose Camera again, or go on with this.`,
	};
}

/** The sentence for a source that went away by itself. */
export const SOURCE_END_WORDS: Readonly<Record<SourceEnd, Required<Words>>> = {
	unplugged: {
		what: 'The camera or microphone is gone.',
		why: 'It was unplugged or switched off.',
		todo: 'Plug it in again or choose another source; viewers see a still picture meanwhile.',
	},
	stopped: {
		what: 'Sharing was stopped.',
		why: 'The browser’s own bar, or closing the window, ended it.',
		todo: 'Choose Screen again or another source; viewers see a still picture meanwhile.',
	},
	finished: {
		what: 'The file has come to its end.',
		why: 'Everything in it was sent.',
		todo: 'Choose another source, or stop the broadcast.',
	},
	unreadable: {
		what: 'The file can’t be read any further.',
		why: 'It is damaged from here on, or it was changed or moved away.',
		todo: 'Choose another file or source; viewers see a still picture meanwhile.',
	},
};

/** What a source lacks while the broadcast goes on; one entry per warning code. */
export const WARNING_WORDS: Readonly<Record<string, Words>> = {
	'source-lost': {
		what: 'The source is gone.',
		why: 'Its device or window went away; viewers see a still picture.',
		todo: 'Choose a source to go on.',
	},
	'no-audio': {
		what: 'There is no sound.',
		why: 'The source has none, or the browser doesn’t give it.',
		todo: 'Choose a microphone, or tick the box for sound when you share a screen. Firefox also needs headphones or a loudspeaker.',
	},
	'storage-failed': ERROR_WORDS['storage-failed'],
};

export const OVERLOADED: Required<Words> = {
	what: 'This computer is too busy.',
	why: 'Encoding can’t keep up, so viewers get a smaller picture for a while.',
	todo: 'Close other programs or tabs.',
};

export const FORKED: Required<Words> = {
	what: 'Someone else broadcasts under this link.',
	why: 'Another device holds the same key, and viewers follow whichever went live last.',
	todo: 'Stop here; or stop there, then stop and go live again here.',
};

/** Health in one word; the library gives the reason and the remedy. */
export const HEALTH_WORDS: Readonly<Record<Health, string>> = {
	good: 'Good',
	tight: 'Tight',
	short: 'Short',
	lost: 'Lost',
};

export const OFFLINE: Required<Words> = {
	what: 'You’re offline.',
	why: 'This device has no network.',
	todo: 'It goes on by itself once you’re connected.',
};

export const DEVICE_SLOW: Required<Words> = {
	what: 'This device can’t keep up.',
	why: 'The stream comes in time, but showing it takes more than the device can do now.',
	todo: 'Close other programs or tabs.',
};

/** Where the broadcaster stands. */
export function broadcasterWords(
	state: BroadcasterState,
	{ ready, viewers }: { ready: boolean; viewers: number },
): Words {
	switch (state.type) {
		case 'idle':
			return ready
				? { what: 'Ready.', why: 'Nothing is sent yet.', todo: 'Press Go live when you are.' }
				: { what: 'Choose what to show.', todo: 'A camera, a screen or a video file.' };
		case 'starting':
			return { what: 'Going live.', why: 'The first pictures are being encoded.' };
		case 'live':
			return viewers > 0
				? { what: 'You’re live.', why: 'Everyone with the link can join.' }
				: {
						what: 'You’re live.',
						why: 'Nobody is watching yet.',
						todo: 'Send the link to someone.',
					};
		case 'stopping':
			return { what: 'Stopping.', why: 'The end is being signed, so that viewers know.' };
		case 'ended':
			return {
				what: 'The broadcast has ended.',
				todo: 'Go live again whenever you like; the link stays the same.',
			};
		case 'failed':
			return failureWords(state.error);
	}
}

/** What the watch page knows when it looks for words. */
export interface WatchView {
	readonly viewer: ViewerState;
	readonly player: PlayerState;
	readonly online: boolean;
	/** Whether the search for peers has found nobody for a while. */
	readonly lonely: boolean;
	/** Why no tracker took the channel, in the words of one. */
	readonly refusal?: string | undefined;
	/** Whether the browser refused to start playing by itself. */
	readonly blocked: boolean;
	readonly atEdge: boolean;
	readonly behindMs: number;
}

/** Where a viewer stands: the picture first, and when it doesn't move, what it waits for. */
export function watchWords(view: WatchView): Words {
	const { viewer, player } = view;
	if (view.blocked) {
		return {
			what: 'Ready to play.',
			why: 'This browser starts nothing by itself.',
			todo: 'Press Play.',
		};
	}
	if (player.type === 'playing') {
		if (viewer.type === 'ended') {
			return { what: 'Playing the rest.', why: 'The broadcast has ended.' };
		}
		if (view.atEdge) return { what: 'Playing live.' };
		return { what: `Playing, ${span(view.behindMs)} behind.`, todo: 'Jump to live to catch up.' };
	}
	if (viewer.type === 'failed') return failureWords(viewer.error);
	if (player.type === 'failed') return failureWords(player.error);
	if (player.type === 'paused' && viewer.type === 'ended') {
		return {
			what: 'The broadcast has ended.',
			why: 'You paused before its end.',
			todo: 'Press Play to see the rest.',
		};
	}
	if (player.type === 'paused') return { what: 'Paused.', todo: 'Press Play to go on.' };
	if (player.type === 'ended' || viewer.type === 'ended') {
		return {
			what: 'The broadcast has ended.',
			todo: 'If they go live again, this page picks up by itself.',
		};
	}
	if (!view.online) return OFFLINE;
	if (player.type === 'stalled' && player.cause === 'device') return DEVICE_SLOW;
	// What a tracker said before it was away is no refusal: it is given the while of a search to answer anew.
	if (viewer.type === 'finding-peers' && view.lonely && view.refusal !== undefined) {
		return {
			what: 'The tracker doesn’t take this broadcast.',
			why: refusalReason(view.refusal),
			todo: 'Tell whoever gave you the link. This page goes on asking.',
		};
	}
	return waitingWords(viewer, { stalled: player.type === 'stalled', lonely: view.lonely });
}

function waitingWords(
	viewer: ViewerState,
	{ stalled, lonely }: { stalled: boolean; lonely: boolean },
): Words {
	switch (viewer.type) {
		case 'connecting':
			return {
				what: 'Connecting.',
				why: 'Calling the tracker, which introduces viewers to each other.',
			};
		case 'no-tracker':
			return ERROR_WORDS['no-tracker'];
		case 'finding-peers':
			if (viewer.lost) {
				return {
					what: 'Waiting for the broadcaster.',
					why: 'They have gone, and nobody else is left to get the stream from.',
					todo: 'This page will pick up by itself.',
				};
			}
			return lonely
				? {
						what: 'Waiting for the broadcaster.',
						why: 'Nobody is here yet, neither the broadcaster nor other viewers.',
						todo: 'This page will pick up by itself.',
					}
				: { what: 'Finding peers.', why: 'Looking for others who watch this broadcast.' };
		case 'waiting':
			return {
				what: 'Waiting for the broadcaster.',
				why:
					viewer.quietMs === undefined
						? 'Nobody is on air under this link yet.'
						: `They went quiet ${ago(viewer.quietMs)}.`,
				todo: 'This page will pick up by itself.',
			};
		default:
			return stalled
				? {
						what: 'The stream is late.',
						why: 'Those who pass it on to you are slow, or your network is.',
						todo: 'Finding others to take it from.',
					}
				: { what: 'Buffering.', why: 'The first pictures are on their way.' };
	}
}
