import { describe, expect, it } from 'vitest';
import { decodeSubtitles, subtitleLabel, subtitlesFor, toWebVtt } from './subtitles.ts';

describe('subtitles', () => {
	it('in SubRip become WebVTT', () => {
		const text = '\uFEFF1\r\n0:00:01,500 --> 00:00:02,000\r\nHello, 1,000 fish\r\n';
		expect(toWebVtt(text)).toBe('WEBVTT\n\n1\n00:00:01.500 --> 00:00:02.000\nHello, 1,000 fish\n');
	});

	it('in WebVTT stay as they are', () => {
		expect(toWebVtt('WEBVTT\n\n00:01.000 --> 00:02.000\nHi')).toContain('00:01.000');
	});

	it('are read in UTF-8 and in the old encoding', () => {
		expect(decodeSubtitles(new TextEncoder().encode('für'))).toBe('für');
		expect(decodeSubtitles(new Uint8Array([0x66, 0xfc, 0x72]))).toBe('für');
	});

	it('are found by the film’s name, or whatever their name where there is one film', () => {
		const film = { path: 't/Film one.mkv', type: 'video/x-matroska' };
		const other = { path: 't/Film two.mkv', type: 'video/x-matroska' };
		const own = { path: 't/Film one.de.srt', type: '' };
		const odd = { path: 't/subs/english.vtt', type: '' };
		expect(subtitlesFor(film, [film, other, own, odd])).toEqual([own]);
		expect(subtitlesFor(film, [film, own, odd])).toEqual([own, odd]);
		expect(subtitleLabel(own.path, film.path)).toBe('de');
		expect(subtitleLabel(odd.path, film.path)).toBe('english');
	});
});
