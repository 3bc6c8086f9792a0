import { expect, test, type Page } from '@playwright/test';
import { openGallery, type Gallery } from './gallery.ts';

// Every state of every page, in the forms that people meet them in, without a network behind it.
// Screenshots go to test-results/pages. SHOAL_GALLERY=all takes every state in every form.

const FORMS = [
	{ name: 'desktop-light', width: 1280, height: 800, colorScheme: 'light' },
	{ name: 'phone-dark', width: 360, height: 720, colorScheme: 'dark' },
	{ name: 'phone-light', width: 360, height: 720, colorScheme: 'light' },
	{ name: 'desktop-dark', width: 1280, height: 800, colorScheme: 'dark' },
] as const;
const SMALLEST = { width: 200, height: 112 };
const everything = process.env.SHOAL_GALLERY === 'all';

let gallery: Gallery;
test.beforeAll(async () => {
	gallery = await openGallery();
});
test.afterAll(() => gallery.close());

interface States {
	seed: string[];
	watch: string[];
}

async function statesOf(page: Page): Promise<States> {
	await page.goto(gallery.address(''));
	const handle = await page.waitForFunction(() => (window as { states?: States }).states);
	return (await handle.jsonValue())!;
}

function collectFaults(page: Page): string[] {
	const faults: string[] = [];
	page.on('pageerror', (error) => faults.push(`${page.url()} ${error.stack ?? error.message}`));
	page.on('console', (message) => {
		if (/Content Security Policy/.test(message.text())) faults.push(message.text());
	});
	return faults;
}

async function show(page: Page, name: string, state: string): Promise<void> {
	await page.goto(gallery.address(name, state));
	await expect(page.getByRole(name === 'home' ? 'heading' : 'status').first()).toBeAttached();
}

/** What is wrong with the page as it stands: things too wide, too small, without a name. */
function flaws(page: Page): Promise<string[]> {
	return page.evaluate(() => {
		const found: string[] = [];
		if (document.documentElement.scrollWidth > innerWidth) found.push('wider than the window');
		const seen = (element: Element) =>
			element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) &&
			!element.closest('.hidden');
		for (const control of document.querySelectorAll('button, a, input, select, textarea')) {
			if (!seen(control)) continue;
			const what = control.outerHTML.slice(0, 120);
			const labels = (control as HTMLInputElement).labels ?? [];
			const name =
				control.getAttribute('aria-label') ??
				[...labels].map((label) => label.textContent).join('') ??
				control.textContent;
			if (!(name || control.textContent).trim()) found.push(`no name: ${what}`);
			// A control in a label is as large as the label (WCAG 2.2, 2.5.8).
			const box = (control.closest('label') ?? control).getBoundingClientRect();
			if (box.width < 24 || box.height < 24) found.push(`smaller than 24 px: ${what}`);
		}
		return found;
	});
}

for (const [index, form] of FORMS.entries()) {
	test(`pages are whole on ${form.name}`, async ({ browser }) => {
		test.setTimeout(300_000);
		const context = await browser.newContext({
			viewport: { width: form.width, height: form.height },
			colorScheme: form.colorScheme,
			reducedMotion: 'reduce',
		});
		const page = await context.newPage();
		const faults = collectFaults(page);
		const states = await statesOf(page);
		const all = [
			['home', 'first-visit'] as const,
			...states.seed.map((state) => ['seed', state] as const),
			...states.watch.map((state) => ['watch', state] as const),
		];
		expect(all.length).toBeGreaterThan(40);
		// A light and a dark form see every state between them; the other two look again at a few.
		const share = index < 2 ? 2 : 8;
		const shown = all.filter((_, i) => everything || i % share === index % share);
		for (const [name, state] of shown) {
			await show(page, name, state);
			await page.screenshot({
				path: `test-results/pages/${name}-${state}-${form.name}.png`,
				fullPage: true,
			});
			expect(await flaws(page), `${name}, ${state}`).toEqual([]);
		}
		expect(faults).toEqual([]);
		await context.close();
	});
}

test('the embedded player fits the smallest frame', async ({ browser }) => {
	const context = await browser.newContext({ viewport: SMALLEST, reducedMotion: 'reduce' });
	const page = await context.newPage();
	const faults = collectFaults(page);
	for (const state of (await statesOf(page)).watch) {
		await show(page, 'embed', state);
		await page.screenshot({ path: `test-results/pages/embed-${state}.png` });
		expect(await flaws(page), state).toEqual([]);
		const cut = await page.evaluate(() => {
			const words = document.querySelector('[role=status] p')?.getBoundingClientRect();
			return !words || words.top < 0 || words.bottom > innerHeight || words.right > innerWidth;
		});
		expect(cut, `${state}: the words are cut`).toBe(false);
	}
	expect(faults).toEqual([]);
	await context.close();
});

test('the seed page is worked by keyboard alone', async ({ page }) => {
	await show(page, 'seed', 'first-visit');
	await page.keyboard.press('Tab'); // the name of the site
	await page.keyboard.press('Tab');
	await expect(page.getByRole('button', { name: 'Camera' })).toBeFocused();
	await page.keyboard.press('Enter');
	await expect(page.getByRole('status')).toContainText('Ready.');
	await expect(page.getByLabel('Microphone')).toBeVisible();
	await page.getByRole('button', { name: 'Go live' }).press('Enter');
	await expect(page.getByRole('status')).toContainText('You’re live.');
	await expect(page.getByRole('textbox', { name: 'Peer link' })).toHaveValue(/\/watch\/#/);
	await expect(page.getByRole('textbox', { name: 'Embed code' })).toHaveValue(/^<iframe /);
	await page.getByRole('button', { name: 'Stop' }).press('Space');
	await expect(page.getByRole('status')).toContainText('The broadcast has ended.');
});

test('the mark of being on air keeps to one line on a small phone', async ({ page }) => {
	await page.setViewportSize({ width: 360, height: 720 });
	for (const state of ['live-0', 'live-many']) {
		await show(page, 'seed', state);
		const mark = page.getByLabel('On air').getByText('On air', { exact: true });
		const lines = await mark.evaluate(
			(element) => element.clientHeight / parseFloat(getComputedStyle(element).lineHeight),
		);
		expect(lines, state).toBeCloseTo(1, 1);
	}
});

test('the end of a title that is too long is told while it is typed', async ({ page }) => {
	await show(page, 'seed', 'first-visit');
	const title = page.getByRole('textbox', { name: 'Title' });
	await title.fill('港'.repeat(40));
	await expect(title).toHaveAccessibleDescription('');
	await title.pressSequentially('猫犬');
	await expect(title).toHaveAccessibleDescription(/viewers don’t see its end, “猫犬”/);
});

test('copying a link says so', async ({ browser }) => {
	const context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] });
	const page = await context.newPage();
	await show(page, 'seed', 'live-many');
	await page.getByRole('button', { name: 'Copy link' }).click();
	await expect(page.getByText('Copied').first()).toBeVisible();
	const link = await page.getByRole('textbox', { name: 'Peer link' }).inputValue();
	expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(link);
	await page.getByRole('button', { name: 'QR code' }).click();
	await expect(page.getByRole('img', { name: 'QR code of the peer link' })).toBeVisible();
	await context.close();
});

test('the home page opens good links and explains bad ones', async ({ page }) => {
	await page.route('**/watch/', (route) => route.fulfill({ body: 'the watch page' }));
	await show(page, 'home', '');
	const box = page.getByRole('textbox', { name: 'Peer link' });
	await box.fill('https://shoal.example/watch/#cut');
	await page.getByRole('button', { name: 'Watch' }).click();
	await expect(page.getByText('This is not a whole peer link.')).toBeVisible();
	await expect(box).toBeFocused();
	await box.fill('11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo');
	await expect(page.getByText('This is not a whole peer link.')).toBeHidden();
	await box.press('Enter');
	await expect(page).toHaveURL(/\/watch\/#11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo$/);
});

test('a viewer turns the sound on, jumps to live and chooses what to share', async ({ page }) => {
	await show(page, 'watch', 'playing-many');
	const video = page.locator('video');
	await page.getByRole('button', { name: 'Tap for sound' }).click();
	expect(await video.evaluate((element: HTMLVideoElement) => element.muted)).toBe(false);
	await expect(page.getByRole('button', { name: 'Tap for sound' })).toBeHidden();
	await expect(page.getByRole('button', { name: /^Live, 0\.6 s behind/ })).toBeVisible();

	await page.getByRole('button', { name: 'Sharing' }).click();
	await page.getByRole('radio', { name: 'Watch only' }).check();
	await expect(page.getByText('you pass nothing on')).toBeVisible();
	await page.keyboard.press('Escape');
	await expect(page.getByRole('button', { name: 'Watch only' })).toBeFocused();

	await show(page, 'watch', 'behind');
	await expect(page.getByRole('button', { name: '12 s behind. Jump to live' })).toBeEnabled();
});

test('keys work the player from all of the watch page, but for fields and what they press', async ({
	page,
}) => {
	await show(page, 'watch', 'playing-with-sound');
	const muted = () => page.locator('video').evaluate((element: HTMLVideoElement) => element.muted);
	await expect(page.getByRole('button', { name: 'Mute' })).toBeVisible();
	await page.keyboard.press('m');
	expect(await muted()).toBe(true);
	await page.getByRole('button', { name: 'Mute' }).or(page.getByLabel('Sound on')).focus();
	await page.keyboard.press('m');
	expect(await muted()).toBe(false);

	const sharing = page.getByRole('button', { name: 'Sharing' });
	await sharing.focus();
	await page.keyboard.press('Space');
	await expect(page.getByRole('radio', { name: 'Watch only' })).toBeVisible();
	await page.keyboard.press('Escape');
	await page.getByRole('button', { name: /Keep/ }).click();
	await expect(page.getByRole('dialog')).toBeVisible();
	await page.keyboard.press('m');
	expect(await muted()).toBe(false);
});

test('keys work an embedded player only while it has the focus', async ({ page }) => {
	await show(page, 'embed', 'playing-with-sound');
	const muted = () => page.locator('video').evaluate((element: HTMLVideoElement) => element.muted);
	await expect(page.getByRole('button', { name: 'Mute' })).toBeVisible();
	await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
	await page.keyboard.press('m');
	expect(await muted()).toBe(false);
	await page.getByRole('button', { name: 'Mute' }).focus();
	await page.keyboard.press('m');
	expect(await muted()).toBe(true);
});
