/** The infohash of a replay that a link or an address leads to: `…/watch/#` and 40 hexadecimal digits. */
export function replayOf(link: string): string | undefined {
	const fragment = link.trim().split('#').at(-1) ?? '';
	return /^[0-9a-f]{40}$/i.test(fragment) ? fragment.toLowerCase() : undefined;
}
