/** What an embedded player may need; the last two let it reach trackers and viewers on the same network. */
const ALLOW = [
	'autoplay',
	'fullscreen',
	'picture-in-picture',
	'encrypted-media',
	'screen-wake-lock',
	'local-network',
	'loopback-network',
].join('; ');

/** The HTML that puts a player on any page; `address` is the embed page with its channel. */
export function embedCode(address: string): string {
	const src = address.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
	return (
		`<iframe src="${src}" style="width:100%;aspect-ratio:16/9;border:0" ` +
		`allow="${ALLOW}" allowfullscreen loading="lazy" title="Live broadcast"></iframe>`
	);
}
