import type { Page } from '@playwright/test';
import type { Player, ReceivedSegment, Viewer, ViewerStats } from '../src/lib/index.ts';

/** The documented debugging handle of pages that watch. */
interface WatchWindow {
	readonly shoal: Player<Viewer>;
}

/** The figures of a page that watches. */
export function viewerStats(page: Page): Promise<ViewerStats> {
	return page.evaluate(() => (window as unknown as WatchWindow).shoal.viewer.stats);
}

/** Sequence number of the newest segment that a page that watches holds; -1 when it holds none. */
export function newestSequence(page: Page): Promise<number> {
	return page.evaluate(() => {
		const held = [...(window as unknown as WatchWindow).shoal.viewer.heldSegments()];
		return held.at(-1)?.manifest.sequence ?? -1;
	});
}

/** The media that a page that watches holds, as a file: the newest init segment and all that follows it. */
export async function recording(page: Page): Promise<{ bytes: Buffer; mediaS: number }> {
	const { base64, mediaS } = await page.evaluate(async () => {
		const held: ReceivedSegment[] = [
			...(window as unknown as WatchWindow).shoal.viewer.heldSegments(),
		];
		const init = held.at(-1)?.init;
		if (!init) return { base64: '', mediaS: 0 };
		const segments = held.filter((segment) => segment.init === init);
		const blob = new Blob([init.bytes, ...segments.map(({ bytes }) => bytes)]);
		const url = await new Promise<string>((resolve) => {
			const reader = new FileReader();
			reader.onload = () => {
				resolve(reader.result as string);
			};
			reader.readAsDataURL(blob);
		});
		const us = segments.reduce((sum, { manifest }) => sum + manifest.durationUs, 0);
		return { base64: url.slice(url.indexOf(',') + 1), mediaS: us / 1e6 };
	});
	return { bytes: Buffer.from(base64, 'base64'), mediaS };
}
