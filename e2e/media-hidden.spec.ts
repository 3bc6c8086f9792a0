import { expect, test } from '@playwright/test';
import { BareBrowser, type Tab } from './media/bare-browser.ts';
import { openLabSite, probe, type LabSite } from './media/lab.ts';
import type { Shot } from './media/lab-page.ts';

let site: LabSite;
let browser: BareBrowser;
let tab: Tab;

test.beforeAll(async () => {
	site = await openLabSite();
});
test.afterAll(() => site.close());

test.beforeEach(async () => {
	browser = await BareBrowser.launch();
	tab = await browser.open(site.url);
});
test.afterEach(() => browser.close());

async function shots(least: number): Promise<Shot[]> {
	await expect
		.poll(() => tab.evaluate<number>('window.lab.shots.length'), { timeout: 60_000 })
		.toBeGreaterThanOrEqual(least);
	return tab.evaluate<Shot[]>('window.lab.shots');
}

for (const [source, hasProcessor] of [
	['camera', true],
	['file', true],
	['camera', false],
] as const) {
	const how = hasProcessor ? '' : ' without MediaStreamTrackProcessor';
	test(`a ${source}${how} keeps its frames and its pace in a hidden tab`, async () => {
		if (!hasProcessor) await tab.evaluate('delete globalThis.MediaStreamTrackProcessor');
		await tab.evaluate(`window.lab.open('${source}', 'steady')`);
		await shots(4);
		const other = await browser.open('about:blank');
		await other.show();
		expect(await tab.evaluate('document.visibilityState')).toBe('hidden');
		const before = (await shots(4)).length;
		const taken = await shots(before + 14);

		expect(taken.slice(before).every((shot) => shot.isHidden)).toBe(true);
		taken.forEach((shot, i) => expect(shot.startUs).toBe(i * 500_000));
		const first = taken[before]!;
		const last = taken.at(-1)!;
		const behindMs = last.atMs - first.atMs - (last.startUs - first.startUs) / 1000;
		expect(Math.abs(behindMs)).toBeLessThan(500);

		const file = await tab.evaluate<string>(`window.lab.file(${before}, ${taken.length})`);
		const probed = probe(file);
		expect(probed.complaints).toBe('');
		const seconds = (taken.length - before) / 2;
		expect(probed.videoFrames / seconds).toBeGreaterThan(20);
		expect(await tab.evaluate<number>('window.lab.stats.silentMs')).toBeLessThan(1000);
		await tab.evaluate('window.lab.close()');
	});
}

test('the engine’s clock keeps its pace in a hidden tab', async () => {
	await tab.evaluate('window.startBeats()');
	const beats = (kind: 'shown' | 'hidden') => tab.evaluate<number>(`window.beats.beats.${kind}`);
	await expect.poll(() => beats('shown')).toBeGreaterThan(5);
	const other = await browser.open('about:blank');
	await other.show();
	await expect.poll(() => beats('hidden')).toBeGreaterThan(0);
	const [before, beforeMs] = [await beats('hidden'), performance.now()];
	await expect.poll(() => tab.evaluate<boolean>('window.beats.early.hasRun')).toBe(true);
	await expect.poll(async () => (await beats('hidden')) - before).toBeGreaterThan(20);
	// A hidden tab's own timers beat once a second.
	const seconds = (performance.now() - beforeMs) / 1000;
	expect(((await beats('hidden')) - before) / seconds).toBeGreaterThan(3);
	await tab.show();
	const shown = await beats('shown');
	await expect.poll(() => beats('shown')).toBeGreaterThan(shown + 5);
});
