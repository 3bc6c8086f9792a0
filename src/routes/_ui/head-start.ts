/** A page stays empty no longer than this for the sake of its join. */
const HEAD_START_MS = 150;

/**
 * Lets a join get under way before the page is built: connecting is mostly waiting for others, and building takes the
 * processor for as long as a round trip or two. A site that is slow to tell its trackers gets its page first.
 */
export function headStart(joining: Promise<void>): Promise<void> {
	return Promise.race([
		joining,
		new Promise<void>((resolve) => setTimeout(resolve, HEAD_START_MS)),
	]);
}
