import { parseChannel } from '../../lib/index.ts';
import { replayOf } from './replay-link.ts';

/**
 * Where a pasted link, to a channel or a replay, leads: links of other sites there, since their viewers meet at their
 * trackers; all else to this site's watch page. Throws `bad-link` or `bad-key`.
 */
export function linkTarget(text: string, watchPage: URL): string {
	const trimmed = text.trim();
	const replay = replayOf(trimmed);
	const id = replay ?? parseChannel(trimmed).id;
	const link = URL.canParse(trimmed) ? new URL(trimmed) : undefined;
	const foreign = link && /^https?:$/.test(link.protocol) && link.origin !== watchPage.origin;
	if (foreign) return link.href;
	const hash = trimmed.indexOf('#');
	const fragment = hash < 0 ? id : trimmed.slice(hash + 1);
	return new URL(`#${fragment}`, watchPage).href;
}
