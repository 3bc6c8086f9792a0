import { launchOptions } from './browser.ts';
import { expect, test } from './fixtures.ts';

// A browser that asks, and people who say no.
test.use({ launchOptions: launchOptions({ grants: false }) });

test('a refused camera is told, and what to do about it', async ({ people }) => {
	const page = await people.open('/seed/');
	await page.getByRole('button', { name: 'Camera', exact: true }).click();
	await expect(page.getByRole('alert')).toContainText(
		'The page may not use the camera or microphone.',
	);
	await expect(page.getByRole('button', { name: 'Go live' })).toBeEnabled();
});
