import { test as base } from '@playwright/test';
import { People } from './people.ts';
import { openSite, type Site } from './site.ts';

export { expect } from '@playwright/test';

/** Tests with a real site, the same for a whole file, and people who come to it. */
export const test = base.extend<{ people: People }, { site: Site }>({
	site: [
		async ({}, use) => {
			const site = await openSite();
			await use(site);
			await site.stop();
		},
		{ scope: 'worker' },
	],
	people: async ({ browser, site }, use, info) => {
		await site.start(); // a test before may have left it stopped
		const people = new People(browser, site.url);
		await use(people);
		if (info.status !== info.expectedStatus) {
			const body = (await people.account()).join('\n');
			info.attachments.push({
				name: 'accounts',
				contentType: 'text/plain',
				body: Buffer.from(body),
			});
		}
		await people.leave();
	},
});
