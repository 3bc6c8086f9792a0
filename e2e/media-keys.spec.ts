import { expect, test } from '@playwright/test';
import { openLabSite, type LabSite } from './media/lab.ts';
import type {} from './media/lab-page.ts';

let site: LabSite;

test.beforeAll(async () => {
	site = await openLabSite();
});
test.afterAll(() => site.close());

test('a channel outlives a reload, its epochs rise, and no piece number comes twice', async ({
	page,
}) => {
	await page.goto(site.url);
	const id = await page.evaluate(() => window.sign.channelId());
	expect(id).toMatch(/^[A-Za-z0-9_-]{43}$/);
	const before = await page.evaluate(() => window.sign.place());
	await page.reload();
	expect(await page.evaluate(() => window.sign.channelId())).toBe(id);
	const after = await page.evaluate(() => window.sign.place());
	expect(after.epoch).toBeGreaterThan(before.epoch);
	expect(after.nextPiece).toBeGreaterThan(before.nextPiece);
});

test('the private key cannot be read from the page', async ({ page }) => {
	await page.goto(site.url);
	await page.evaluate(() => window.sign.channelId());
	expect(await page.evaluate(() => window.sign.exportPrivate())).toBe('InvalidAccessError');
});

test('two tabs that make a channel at once make the same one', async ({ context }) => {
	const tabs = await Promise.all([context.newPage(), context.newPage()]);
	await Promise.all(tabs.map((tab) => tab.goto(site.url)));
	const ids = await Promise.all(tabs.map((tab) => tab.evaluate(() => window.sign.channelId())));
	expect(ids[0]).toBe(ids[1]);
});

test('only one tab is live on a channel, and another may be once it is closed', async ({
	context,
}) => {
	const first = await context.newPage();
	const second = await context.newPage();
	await first.goto(site.url);
	await second.goto(site.url);
	expect(await first.evaluate(() => window.sign.hold())).toBe('held');
	expect(await second.evaluate(() => window.sign.hold())).toBe('already-live');
	await first.close();
	await expect.poll(() => second.evaluate(() => window.sign.hold())).toBe('held');
});

test('where the browser keeps nothing, there is a clear error', async ({ page }) => {
	await page.goto(new URL('framed', site.url).href);
	const frame = page.frame({ url: site.url })!;
	await frame.waitForFunction(() => 'sign' in window);
	const code = await frame.evaluate(() =>
		window.sign.channelId().catch((error: { code: string }) => error.code),
	);
	expect(code).toBe('storage-failed');
});
