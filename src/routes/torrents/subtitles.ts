/** Subtitles as a `<track>` takes them (WebVTT), from WebVTT or SubRip. */
export function toWebVtt(text: string): string {
	const lines = text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n');
	if (lines.startsWith('WEBVTT')) return lines;
	const timed = lines.replace(
		/(\d{1,2}:\d{2}:\d{2}),(\d{3})/g,
		(_, clock: string, milliseconds: string) => `${clock.padStart(8, '0')}.${milliseconds}`,
	);
	return `WEBVTT\n\n${timed}`;
}

/** Text of bytes in UTF-8, or else in the encoding that old subtitle files have. */
export function decodeSubtitles(bytes: Uint8Array): string {
	try {
		return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
	} catch {
		return new TextDecoder('windows-1252').decode(bytes);
	}
}

/** The subtitle files that go with a film: in its folder or below, named like it, or the only film's. */
export function subtitlesFor<File extends { readonly path: string; readonly type: string }>(
	film: File,
	files: readonly File[],
): File[] {
	const films = files.filter(({ type }) => type.startsWith('video/'));
	const stem = film.path.replace(/\.[^./]*$/, '').toLowerCase();
	const name = stem.slice(stem.lastIndexOf('/') + 1);
	return files.filter(({ path }) => {
		if (!/\.(vtt|srt)$/i.test(path)) return false;
		const own = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
		return films.length === 1 || own.startsWith(name);
	});
}

/** What a subtitle file is called in the menu: what its name adds to the film's, such as a language. */
export function subtitleLabel(path: string, film: string): string {
	const name = path.slice(path.lastIndexOf('/') + 1).replace(/\.[^.]*$/, '');
	const stem = film.slice(film.lastIndexOf('/') + 1).replace(/\.[^.]*$/, '');
	const rest = name.startsWith(stem) ? name.slice(stem.length) : name;
	return rest.replace(/^[ ._-]+/, '') || 'Subtitles';
}
