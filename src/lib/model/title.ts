import { fromUtf8, utf8 } from '../util/bytes.ts';
import { MAX_TITLE_BYTES } from './manifest.ts';

/** Control characters, zero-width ones, and those that turn the direction of text around. */
const UNSEEN = /[\p{Cc}\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;

/** What of a title goes out, without what can't be seen and cut to what a manifest takes, and the end that doesn't fit. */
export function fitTitle(title: string): { readonly shown: string; readonly cut: string } {
	const whole = title.normalize('NFC').replace(UNSEEN, '');
	let bytes: Uint8Array = utf8(whole).subarray(0, MAX_TITLE_BYTES);
	for (;;) {
		try {
			const shown = fromUtf8(bytes);
			return { shown, cut: whole.slice(shown.length) };
		} catch {
			bytes = bytes.subarray(0, bytes.length - 1); // never inside a character
		}
	}
}
